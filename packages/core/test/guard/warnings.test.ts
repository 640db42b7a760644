import { expect, test } from '@jest/globals';
import { hostGuard } from '@sallyport/core/host';
import { outcomeOf } from '../support/decide.ts';
import { guardOf } from '../support/guards.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const FOREIGN = upgradeRequest({ headers: { Origin: 'https://evil.example' } });

function logged(options: object = {}) {
  const clock = new ManualClock();
  const lines: [object, string][] = [];
  const guard = guardOf({
    clock,
    logger: { warn: (details: object, text: string) => lines.push([details, text]) },
    ...options,
  });
  return { clock, lines, guard };
}

test('a warning names the reason and the facts of a denied handshake', async () => {
  const { lines, guard } = logged();
  await outcomeOf(guard, FOREIGN);
  expect(lines).toEqual([
    [
      expect.objectContaining({ reason: 'origin_denied', stage: 'origin', origin: 'https://evil.example' }),
      expect.stringContaining('not an allowed origin'),
    ],
  ]);
});

test('a flood of denials writes one line for each reason in ten seconds, and the next line counts the others', async () => {
  const { clock, lines, guard } = logged();
  for (let i = 0; i < 20; i++) await outcomeOf(guard, FOREIGN);
  await outcomeOf(guard, upgradeRequest({ method: 'POST' }));
  expect(lines.map(([details]) => (details as { reason: string }).reason)).toEqual([
    'origin_denied',
    'request_malformed',
  ]);
  clock.advance(9_999);
  await outcomeOf(guard, FOREIGN);
  expect(lines).toHaveLength(2);
  clock.advance(1);
  await outcomeOf(guard, FOREIGN);
  expect(lines.at(-1)?.[0]).toMatchObject({ reason: 'origin_denied', suppressed: 20 });
  clock.advance(10_000);
  await outcomeOf(guard, FOREIGN);
  expect(lines.at(-1)?.[0]).not.toHaveProperty('suppressed');
});

test('a logger that throws changes no decision', async () => {
  const { guard } = logged({
    logger: {
      warn() {
        throw new Error('the disk is full');
      },
    },
  });
  expect(await outcomeOf(guard, FOREIGN)).toBe('origin_denied');
});

test("the host's logger is used only if the policy names none", async () => {
  const host: string[] = [];
  const logger = { warn: (_: object, text: string) => void host.push(text) };
  const own = logged();
  hostGuard(own.guard).useLogger(logger);
  await outcomeOf(own.guard, FOREIGN);
  expect(own.lines).toHaveLength(1);
  const silent = guardOf({ logger: false });
  hostGuard(silent).useLogger(logger);
  await outcomeOf(silent, FOREIGN);
  expect(host).toEqual([]);
  const unnamed = guardOf({ logger: undefined });
  hostGuard(unnamed).useLogger(logger);
  await outcomeOf(unnamed, FOREIGN);
  expect(host).toHaveLength(1);
});

test('a process of a cluster without a shared store writes a warning', () => {
  process.env.NODE_UNIQUE_ID = '1';
  try {
    expect(logged().lines).toEqual([[{}, expect.stringContaining('share a store')]]);
  } finally {
    delete process.env.NODE_UNIQUE_ID;
  }
});

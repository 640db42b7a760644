import { expect, test } from '@jest/globals';
import { hostGuard } from '@sallyport/core/host';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { fieldsGuard, type OddHandshake, oddHandshake, trimmed } from './odd-handshakes.ts';
import { Random } from './random.ts';

/** CI makes fewer of them. */
const RUNS = Number(process.env.SALLYPORT_FUZZ_RUNS ?? 200_000);
const SEED = Number(process.env.SALLYPORT_FUZZ_SEED ?? 20_300_103);

const clock = new ManualClock();
const guard = fieldsGuard('10.0.0.1', clock);

async function outcome({ fields, target }: OddHandshake): Promise<string> {
  // node:http takes optional white space off the ends of a value, as every HTTP/1.1 parser does.
  const rawHeaders = Object.entries(fields).flatMap(([name, value]) => [name, trimmed(value)]);
  const handshake = hostGuard(guard).begin(
    {
      method: 'GET',
      target,
      httpVersion: '1.1',
      rawHeaders,
      peer: { address: '10.0.0.1', encrypted: false, unix: false },
    } as never,
    () => {},
  );
  const refused = await hostGuard(guard).enter(handshake);
  if (refused !== undefined) return refused.reason;
  const decision = await hostGuard(guard).admit(handshake, undefined);
  if (decision.denied) return decision.reason;
  const { subject } = decision.identity as { subject: string };
  decision.release();
  return subject;
}

test(`${RUNS} handshakes with one odd byte mean what the grammar of its field says`, async () => {
  const random = new Random(SEED);
  const faults: unknown[] = [];
  guard.on('fault', ({ error }) => faults.push(error));
  const told = new Map<string, number>();
  const wrong: string[] = [];
  for (let run = 0; run < RUNS && wrong.length < 5; run++) {
    const odd = oddHandshake(random, run % 256);
    const { meaning } = odd;
    const got = await outcome(odd);
    told.set(got, (told.get(got) ?? 0) + 1);
    if (
      (meaning === 'same' && got !== 'alice') ||
      (meaning === 'other' && got === 'alice') ||
      got === 'internal'
    )
      wrong.push(`run ${run} of seed ${SEED}, ${got} for ${JSON.stringify(odd)}`);
    clock.advance(1);
  }
  expect(wrong).toEqual([]);
  expect(faults).toEqual([]);
  for (const reason of [
    'alice',
    'request_malformed',
    'host_denied',
    'origin_denied',
    'credential_missing',
    'credential_invalid',
  ])
    expect([reason, (told.get(reason) ?? 0) > RUNS / 1_000]).toEqual([reason, true]);
  expect(guard.stats()).toMatchObject({ connections: 0, pending: 0 });
}, 400_000);

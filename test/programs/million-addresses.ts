// A program: a million addresses make handshakes with wrong credentials at one guard. Prints the memory that this took, and what
// four addresses could use before and after.
import { bearer, custom, Type } from '@sallyport/core';
import type { AttemptSource } from '../../packages/core/src/auth/attempts.ts';
import type { Authenticator } from '../../packages/core/src/auth/authenticator.ts';
import { GuardFamily } from '../../packages/core/src/guard/family.ts';
import { parseAddress } from '../../packages/core/src/handshake/address.ts';
import type { HandshakeContext } from '../../packages/core/src/handshake/handshake-context.ts';
import type { Stage } from '../../packages/core/src/handshake/stage.ts';
import { readPolicy } from '../../packages/core/src/policy/policy-settings.ts';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';

const COUNT = 1_000_000;
/** Every n-th address goes on until it is banned. */
const STUBBORN = 20;
/** How many seconds of the guard's clock all of it takes. */
const SECONDS = 10;

const clock = new ManualClock();
const authenticator = custom({
  scheme: 'key',
  from: [bearer()],
  authenticate: () => undefined,
}) as Authenticator;
const { server } = readPolicy({
  clock,
  logger: false,
  auth: [authenticator],
  messages: { say: Type.Object({}) },
  bans: { after: { rate: '1/m', burst: 3 } },
});
const family = new GuardFamily(server);
const rate = family.settings.outerDoor.find(({ name }) => name === 'rate') as Stage;

/** Half of the addresses are IPv4 in a /11, half are IPv6, each in a /64 of its own. */
function sourceOf(i: number): AttemptSource {
  const half = i >>> 1;
  const [high, low] = [half >>> 8, half & 0xff];
  if (i % 2 === 0) {
    const net = `${100 + (high >>> 8)}.${high & 0xff}`;
    return { bucket: `${net}.${low}.7`, coarser: [`${net}.${low}.0/24`, `${net}.0.0/16`], bannable: true };
  }
  const net = `2001:db8:${(high + 1).toString(16)}`;
  return {
    bucket: `${net}:${(low + 1).toString(16)}::/64`,
    coarser: [`${net}::/56`, `${net}::/48`],
    bannable: true,
  };
}

/** Runs the rate stage, then the verifier. Returns the reason of a denial. */
function knock(source: AttemptSource): string {
  const client = { address: source, bannable: true, secure: true };
  const context = { client, headers: {} } as unknown as HandshakeContext;
  const denial = rate.check(context);
  if (denial !== undefined) return (denial as { reason: string }).reason;
  const verdict = family.verifier.verify(authenticator, {
    credential: 'wrong',
    request: {} as never,
    source,
    signal: undefined as never,
    failures: context.failures,
  });
  return (verdict as { reason: string }).reason;
}

function heap(): number {
  (globalThis as unknown as { gc: () => void }).gc();
  return process.memoryUsage().heapUsed;
}

/** How many handshakes an address may make until it is refused, and how many of them may fail. */
function useUp(address: string): { handshakes: number; guesses: number } {
  const { bucket, coarser } = parseAddress(address) as Pick<AttemptSource, 'bucket' | 'coarser'>;
  // Not bannable, so that only its rate refuses it.
  const source = { bucket, coarser, bannable: false };
  const used = { handshakes: 0, guesses: 0 };
  for (let outcome = knock(source); outcome !== 'handshake_rate'; outcome = knock(source)) {
    used.handshakes++;
    if (outcome === 'credential_invalid') used.guesses++;
  }
  return used;
}

const FLOODING = ['203.0.113.7', '198.51.100.200', '2001:db9::1', '2001:dba:1:2::3'];
const first = FLOODING.map(useUp);
const before = heap();
const started = performance.now();
const outcomes: Record<string, number> = {};
for (let i = 0; i < COUNT; i++) {
  const source = sourceOf(i);
  const outcome = knock(source);
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  if (outcome === 'credential_invalid' && i % STUBBORN < 2)
    for (let more = 0; more < 3; more++) knock(source);
  if (i % 1_000 === 0) clock.advance((SECONDS * 1_000) / (COUNT / 1_000));
}
const milliseconds = performance.now() - started;
const mebibytes = (heap() - before) / 1_048_576;
const again = FLOODING.map(useUp);
const bans = await family.bans.list(1_000_000);
// Whether the addresses are spelt as the guard spells them.
const spelt = [0, 1, 77_776, 999_999].map((i) => {
  const { bucket, coarser } = sourceOf(i);
  const parsed = parseAddress(bucket.replace('/64', '1'));
  return JSON.stringify([parsed?.bucket, parsed?.coarser]) === JSON.stringify([bucket, coarser]);
});
await family.close(family.root, 0);
process.stdout.write(
  JSON.stringify({ mebibytes, milliseconds, first, again, outcomes, bans: bans.length, spelt }),
);

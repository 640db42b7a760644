import { expect, test } from '@jest/globals';
import {
  bearer,
  cookie,
  createGuard,
  custom,
  type Identity,
  jwt,
  query,
  type Reason,
  reasons,
  subprotocol,
  Type,
} from '@sallyport/core';
import { type Admission, type Denial, hostGuard, type Receiver, refusalOf } from '@sallyport/core/host';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { RecordingSocket } from '../../packages/core/test/support/recording-socket.ts';
import { SharedStore } from '../../packages/core/test/support/shared-store.ts';
import type { Pool } from './credentials.ts';
import { type Generated, generate } from './generator.ts';
import { Random } from './random.ts';
import { AUDIENCE, ISSUER, publicKey, tokenPool } from './tokens.ts';

const RUNS = Number(process.env.SALLYPORT_FUZZ_RUNS ?? 100_000);
const SEED = Number(process.env.SALLYPORT_FUZZ_SEED ?? 20_300_101);
/** How many handshakes are under way at once. */
const BATCH = 50;

const clock = new ManualClock();
const store = new SharedStore(clock, { behaviour: 'at once' });
/** Callbacks that let the lookups of sessions answer. */
const hanging: (() => void)[] = [];

function session({ credential }: { credential: string | undefined }) {
  switch (credential) {
    case 'good':
      return { subject: 'session' };
    case 'later':
      return Promise.resolve().then(() => ({ subject: 'session' }));
    case 'expired':
      return { subject: 'session', expiresAt: 1 };
    case 'throws':
      throw new Error('the database is away');
    case 'rejects':
      return Promise.reject(new Error('the database is away'));
    case 'hangs':
      return new Promise<{ subject: string }>((resolve) => hanging.push(() => resolve({ subject: 'late' })));
    default:
      return undefined;
  }
}

const guard = createGuard({
  hosts: ['chat.example.com', '*.hosts.example.com'],
  origins: ['https://app.example.com', 'https://*.tenant.example.com', 'capacitor://localhost'],
  trustedProxies: ['10.0.0.0/8'],
  auth: [
    custom({ scheme: 'session', from: [cookie('session')], authenticate: session }),
    jwt({
      publicKey,
      algorithms: ['RS256'],
      issuer: ISSUER,
      audience: AUDIENCE,
      from: [bearer(), subprotocol(), query('token')],
    }),
  ],
  authorize: ({ request }) => request.path !== '/forbidden' || Promise.resolve(false),
  subprotocols: ['chat.v1', 'chat.v2'],
  messages: { say: Type.Object({ text: Type.String() }) },
  limits: {
    handshakes: { rate: '1000000/s', burst: 1_000_000 },
    authFailures: { rate: '1000000/s', burst: 1_000_000 },
    connections: 2 * BATCH,
    connectionsPerAddress: 2 * BATCH,
    connectionsPerIdentity: 2 * BATCH,
  },
  bans: { after: { rate: '1000000/s', burst: 1_000_000 } },
  store,
  clock,
  logger: false,
});

type Decision = Denial | Admission<Identity, never, never>;

/** Takes a handshake through both doors. Some clients leave before the end. */
async function decide({ request, draft }: Generated, random: Random): Promise<Decision> {
  const leaves = random.chance(0.05) ? random.below(3) : -1;
  if (leaves >= 0) draft.deny('the client is gone');
  let expired: Denial | undefined;
  const handshake = hostGuard(guard).begin(request, (denial) => {
    expired = denial;
  });
  if (leaves === 0) handshake.abandon();
  const refused = await hostGuard(guard).enter(handshake);
  must(!/[?&](token|%74oken)=/.test(handshake.target), 'a token is left in the target');
  if (refused !== undefined) return refused;
  if (leaves === 1) handshake.abandon();
  const decision = hostGuard(guard).admit(handshake, undefined);
  // A handshake that is decided at once is decided before the client can leave.
  if (leaves === 2 && 'then' in decision) handshake.abandon();
  else if (leaves === 2) draft.deniable.pop();
  if (!draft.hangs || !('then' in decision)) return (await decision) as Decision;
  clock.advance(10_000);
  for (const answer of hanging.splice(0)) answer();
  const late = (await decision) as Decision;
  must(late.denied, 'admitted after the deadline');
  must(leaves >= 0 || expired?.reason === 'auth_timeout', 'the deadline did not pass');
  return expired ?? late;
}

/** A cheap assertion: Jest's `expect` costs more than a whole handshake. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

function check(decision: Decision, { draft }: Generated): void {
  if (decision.denied) {
    must(draft.deniable.length > 0, `denied: ${decision.reason} at ${decision.stage}, ${decision.detail}`);
    must(Object.hasOwn(reasons, decision.reason), `the reason ${decision.reason} is unknown`);
    must(decision.reason !== 'internal', 'a fault');
    must(refusalOf(decision).status >= 400, 'the refusal is none');
  } else {
    must(draft.deniable.length === 0, `admitted: ${decision.identity?.subject}`);
    must(
      decision.identity?.subject === draft.subject,
      `it was ${draft.subject}, not ${decision.identity?.subject}`,
    );
    must(
      decision.subprotocol === draft.subprotocol,
      `the subprotocol is ${draft.subprotocol}, not ${decision.subprotocol}`,
    );
  }
}

test(`${RUNS} generated handshakes end with the decision that their generator expects`, async () => {
  const random = new Random(SEED);
  const pool: Pool = await tokenPool(clock.now() / 1_000);
  const told = new Map<Reason | 'admitted', number>();
  const open: Receiver[] = [];
  const faults: unknown[] = [];
  guard.on('fault', (event) => faults.push(event));
  guard.on('handshake.denied', (event) => {
    // Every token begins with `eyJ`, the encoding of `{"`.
    if (JSON.stringify(event).includes('eyJ')) faults.push(event);
  });

  const judge = async (generated: Generated, index: number): Promise<void> => {
    try {
      const decision = await decide(generated, random);
      check(decision, generated);
      const outcome = decision.denied ? decision.reason : 'admitted';
      told.set(outcome, (told.get(outcome) ?? 0) + 1);
      if (decision.denied) return;
      // Some admissions are released, others open a connection that closes later.
      if (random.chance(0.3)) decision.release();
      else open.push(decision.open(new RecordingSocket(), () => {}));
    } catch (error) {
      const { draft, request } = generated;
      throw new Error(
        `Handshake ${index} of seed ${SEED} (SALLYPORT_FUZZ_SEED=${SEED} repeats it): ${(error as Error).message}\n` +
          `deniable by: ${draft.deniable.join(', ') || 'nothing'}\n${JSON.stringify(request)}`,
        { cause: error },
      );
    }
  };

  for (let index = 0; index < RUNS; index += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, RUNS - index) }, () => generate(random, pool));
    // A handshake that hangs needs the clock to move, which would expire other handshakes.
    const together = batch.filter(({ draft }) => !draft.hangs);
    await Promise.all(together.map((generated, i) => judge(generated, index + i)));
    for (const generated of batch.filter(({ draft }) => draft.hangs)) await judge(generated, index);
    clock.advance(random.below(100));
    while (open.length > BATCH / 2) open.splice(random.below(open.length), 1)[0]?.closed(1000);
  }

  expect(faults).toEqual([]);
  for (const receiver of open) receiver.closed(1000);
  expect(guard.stats().connections).toBe(0);
  expect(store.slots).toEqual([]);
  expect(clock.pending).toBe(0);
  // A generator whose handshakes all end at one door would prove little.
  for (const reason of [
    'admitted',
    'request_malformed',
    'version_unsupported',
    'tls_required',
    'host_denied',
    'origin_denied',
    'subprotocol_denied',
    'credential_missing',
    'credential_invalid',
    'credential_expired',
    'credential_ambiguous',
    'not_authorized',
    'auth_unavailable',
    'auth_timeout',
  ] as const) {
    expect([reason, (told.get(reason) ?? 0) > RUNS / 2_000]).toEqual([reason, true]);
  }
  expect(told.get('admitted')).toBeGreaterThan(RUNS / 5);
}, 400_000);

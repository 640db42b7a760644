import { describe, expect, test } from '@jest/globals';
import { bearer, custom } from '@sallyport/core';
import { connect, decide, outcomeOf } from '../support/decide.ts';
import { guardOf } from '../support/guards.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const token = custom({
  scheme: 'token',
  from: [bearer()],
  authenticate: async ({ credential }) => ({ subject: credential ?? '' }),
});
const from = (address: string, subject = 'alice') =>
  upgradeRequest({ peer: { address, encrypted: true }, headers: { Authorization: `Bearer ${subject}` } });
const capped = (limits: object) => guardOf({ auth: [token], origins: ['https://a.example'], limits });

describe('of N + 1 at once exactly N are admitted', () => {
  test.each([
    ['in total', { connections: 5 }, 'capacity', (i: number) => from(`203.0.113.${i}`, `user${i}`)],
    [
      'per address',
      { connectionsPerAddress: 5 },
      'connection_limit',
      (i: number) => from('203.0.113.1', `user${i}`),
    ],
    [
      'per /64',
      { connectionsPerAddress: 5 },
      'connection_limit',
      (i: number) => from(`2001:db8::${i + 1}`, `user${i}`),
    ],
    [
      'per identity',
      { connectionsPerIdentity: 5 },
      'connection_limit',
      (i: number) => from(`203.0.113.${i}`),
    ],
  ])(
    'of simultaneous handshakes up to the cap %s are admitted, and the next is denied',
    async (_, limits, reason, request) => {
      const guard = capped(limits);
      const decisions = await Promise.all(Array.from({ length: 6 }, (_, i) => decide(guard, request(i))));
      expect(decisions.map((decision) => (decision.denied ? decision.reason : 'admitted')).sort()).toEqual(
        [...Array(5).fill('admitted'), reason].sort(),
      );
      expect(guard.stats()).toMatchObject({ admitted: 5, denied: { [reason]: 1 } });
    },
  );
});

test('a handshake that one cap refuses takes no slot of the other caps', async () => {
  const guard = capped({ connections: 2, connectionsPerIdentity: 1 });
  await decide(guard, from('203.0.113.1'));
  for (let i = 0; i < 5; i++) expect(await outcomeOf(guard, from('203.0.113.2'))).toBe('connection_limit');
  expect(await outcomeOf(guard, from('203.0.113.3', 'bob'))).toBe('admitted');
});

test('a handshake that finds no free slot is told when to retry', async () => {
  const guard = capped({ connections: 1 });
  await decide(guard, from('203.0.113.1'));
  expect(await decide(guard, from('203.0.113.2'))).toMatchObject({ reason: 'capacity', retryAfter: 5_000 });
});

describe('an admission', () => {
  const one = async () => {
    const guard = capped({ connections: 1 });
    const admission = await decide(guard, from('203.0.113.1'));
    if (admission.denied) throw new Error(admission.reason);
    return { admission, next: () => outcomeOf(guard, from('203.0.113.2')) };
  };

  test('releasing an admission twice gives its slot back once', async () => {
    const { admission, next } = await one();
    expect(await next()).toBe('capacity');
    admission.release();
    admission.release();
    expect(await next()).toBe('admitted');
    expect(() => connect(admission, new RecordingSocket())).toThrow(/opens once, or is released/);
  });

  test('releasing an admission that was opened does nothing: its connection gives the slot back', async () => {
    const { admission, next } = await one();
    const connection = connect(admission, new RecordingSocket());
    admission.release();
    expect(await next()).toBe('capacity');
    expect(() => connect(admission, new RecordingSocket())).toThrow(/opens once/);
    connection.closed(1000);
    expect(await next()).toBe('admitted');
  });
});

test('anonymous clients are not counted against connectionsPerIdentity', async () => {
  const guard = guardOf({ origins: ['https://a.example'], limits: { connectionsPerIdentity: 1 } });
  const request = upgradeRequest({ headers: { Origin: 'https://a.example' } });
  const decisions = await Promise.all([decide(guard, request), decide(guard, request)]);
  expect(decisions.map(({ denied }) => denied)).toEqual([false, false]);
});

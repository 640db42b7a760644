import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, test } from '@jest/globals';
import { bearer, custom, query, subprotocol } from '@sallyport/core';
import { hostGuard } from '@sallyport/core/host';
import { admitted, connect, outcomeOf } from '../support/decide.ts';
import { collect, guardOf } from '../support/guards.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { type RequestOverrides, upgradeRequest } from '../support/upgrade-request.ts';

const REQUEST = upgradeRequest({ headers: { Origin: 'http://localhost:3000' } });
const FOREIGN = upgradeRequest({ headers: { Origin: 'https://evil.example' } });

test('a listener gets events with their facts until it is removed', async () => {
  const clock = new ManualClock();
  const guard = guardOf({ clock, name: 'chat' });
  const denied: unknown[] = [];
  const stop = guard.on('handshake.denied', (event) => denied.push(event));
  await outcomeOf(guard, FOREIGN);
  stop();
  await outcomeOf(guard, FOREIGN);
  expect(denied).toEqual([
    {
      at: clock.now(),
      guard: 'chat',
      owasp: 'malicious_cors',
      level: 'CRITICAL',
      address: '127.0.0.1',
      host: 'localhost:3000',
      origin: 'https://evil.example',
      path: '/chat',
      subject: undefined,
      reason: 'origin_denied',
      stage: 'origin',
      detail: expect.any(String),
    },
  ]);
});

test('node:diagnostics_channel gets the same events', async () => {
  const published: unknown[] = [];
  const listen = (event: unknown) => void published.push(event);
  subscribe('sallyport:handshake.admitted', listen);
  const guard = guardOf({ name: 'channel' });
  (await admitted(guard, REQUEST)).release();
  unsubscribe('sallyport:handshake.admitted', listen);
  (await admitted(guard, REQUEST)).release();
  expect(published).toEqual([expect.objectContaining({ guard: 'channel', scheme: 'anonymous' })]);
});

test('listening for an unknown event throws', () => {
  expect(() => guardOf({}).on('handshake.refused' as never, () => {})).toThrow(
    /no event 'handshake\.refused'/,
  );
});

describe('a listener that fails changes no decision', () => {
  const boom = new Error('boom');
  const failures: [string, () => void][] = [
    [
      'throws',
      () => {
        throw boom;
      },
    ],
    ['rejects', (() => Promise.reject(boom)) as () => void],
  ];
  test.each(failures)(
    'a listener that %s changes no decision and is reported as a fault',
    async (_, fail) => {
      const guard = guardOf({});
      const faults = collect(guard, 'fault');
      for (const name of [
        'handshake.admitted',
        'handshake.denied',
        'connection.opened',
        'connection.closed',
      ] as const) {
        guard.on(name, fail);
      }
      const told = collect(guard, 'handshake.denied');
      expect(await outcomeOf(guard, FOREIGN)).toBe('origin_denied');
      connect(await admitted(guard, REQUEST), new RecordingSocket()).closed(1000);
      await new Promise((resolve) => setImmediate(resolve));
      expect(told).toHaveLength(1);
      expect(guard.stats()).toMatchObject({ connections: 0, admitted: 1 });
      expect(faults).toHaveLength(4);
    },
  );

  test.each(failures)(
    'a listener for faults that %s is not called again for its own fault',
    async (_, fail) => {
      const guard = guardOf({
        authorize: () => {
          throw boom;
        },
      });
      guard.on('fault', fail);
      expect(await outcomeOf(guard, REQUEST)).toBe('internal');
      await new Promise((resolve) => setImmediate(resolve));
    },
  );
});

test('no event holds a token, a cookie or a message', async () => {
  const authenticate = ({ credential }: { credential: string | undefined }) =>
    credential === 'SECRET-right'
      ? { subject: 'alice', session: 'SECRET-session', claims: { c: 'SECRET-claim' } }
      : undefined;
  const guard = guardOf({
    auth: [custom({ scheme: 'key', from: [bearer(), subprotocol(), query('token')], authenticate })],
  });
  const events: unknown[] = [];
  for (const name of [
    'handshake.admitted',
    'handshake.denied',
    'connection.opened',
    'connection.closed',
    'message.denied',
  ] as const) {
    guard.on(name, (event) => events.push(event));
  }
  for (const secret of ['SECRET-right', 'SECRET-wrong']) {
    const requests: RequestOverrides[] = [
      { target: `/chat?token=${secret}` },
      { headers: { Authorization: `Bearer ${secret}`, Cookie: 'a=SECRET-cookie' } },
      { headers: { 'Sec-WebSocket-Protocol': `bearer, ${secret}` } },
      { target: `/chat?token=${secret}`, headers: { Authorization: `Bearer ${secret}` } },
      { target: `/chat?token=${secret}`, method: 'POST' },
    ];
    for (const request of requests) {
      const handshake = hostGuard(guard).begin(upgradeRequest(request), () => {});
      const decision =
        (await hostGuard(guard).enter(handshake)) ?? (await hostGuard(guard).admit(handshake, undefined));
      if (decision.denied) continue;
      const connection = connect(decision, new RecordingSocket());
      connection.receive('{"type":"say","text":"SECRET-text that is too long for its schema"}', false);
      connection.receive('{"type":"say","text":"a","SECRET-key":1}', false);
      connection.closed(1000);
    }
  }
  expect(events.length).toBeGreaterThan(20);
  expect(JSON.stringify(events)).not.toContain('SECRET');
});

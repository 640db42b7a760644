import { afterEach, describe, expect, test } from '@jest/globals';
import { type AnyGuard, bearer, custom, reasons, unsafeReportOrigin } from '@sallyport/core';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { chatGuard, chatJwt, goodHeaders, messages, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { admitted, frame, refusal, Wire } from '../support/wire.ts';
import type { RunningHost } from './hosts/host.ts';
import { hosts } from './hosts/index.ts';

describe.each(hosts)('$name', (host) => {
  const running: RunningHost[] = [];
  const wires: Wire[] = [];
  afterEach(async () => {
    for (const wire of wires.splice(0)) wire.destroy();
    await Promise.all(running.splice(0).map((each) => each.close()));
  });

  async function start(guard: AnyGuard, admin?: AnyGuard): Promise<RunningHost> {
    const started = await host.start({ guard, ...(admin && { admin }) });
    running.push(started);
    return started;
  }

  async function open(started: RunningHost, target: string, subject: string): Promise<Wire> {
    const wire = await admitted(started.port, { target, headers: await goodHeaders(subject) });
    wires.push(wire);
    return wire;
  }

  if (host.capabilities.routeGuards) {
    test('a route with an extended guard has its own rules and messages, and shares the caps of connections', async () => {
      const guard = chatGuard({ limits: { connections: 1 } });
      const admin = guard.extend({
        name: 'admin',
        authorize: ({ identity }) => identity.subject === 'root',
        messages: { ban: messages.say },
      });
      const started = await start(guard, admin);
      const outsider = await refusal(started.port, { target: '/admin', headers: await goodHeaders('alice') });
      expect(JSON.parse(outsider.body)).toMatchObject({ error: 'not_authorized' });

      const root = await open(started, '/admin', 'root');
      root.send(frame('{"type":"say","text":"hi"}'));
      expect(JSON.parse((await root.messages(1))[0] as string)).toMatchObject({
        code: 'message_type_unknown',
      });
      // The only slot is taken by a connection of the other route.
      const second = await refusal(started.port, { headers: await goodHeaders('alice') });
      expect(JSON.parse(second.body)).toMatchObject({ error: 'capacity' });
      expect(guard.stats().denied).toEqual({ not_authorized: 1, capacity: 1 });
      expect(admin.stats().denied).toEqual({ not_authorized: 1 });
    });
  }

  test('a plain HTTP request is answered by the application', async () => {
    const started = await start(chatGuard());
    const wire = await Wire.open(started.port);
    wires.push(wire);
    const answer = await wire
      .send('GET /plain HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
      .answer();
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).toContain('plain');
  });

  describe("with rejectAs: 'close'", () => {
    const policy: PolicyOverrides = { rejectAs: 'close', auth: [chatJwt([bearer()])] };

    test("rejectAs: 'close' answers a wrong token with a 101 and a close with 4401, and no handler runs", async () => {
      const guard = chatGuard(policy);
      const started = await start(guard);
      const wire = await admitted(started.port, { headers: { Authorization: 'Bearer wrong' } });
      wires.push(wire);
      expect(await wire.closeCode()).toBe(4401);
      expect(wire.frames()[0]?.data.subarray(2).toString()).toBe(reasons.credential_invalid.text);
      expect(started.handled).toEqual([]);
      expect(guard.stats()).toMatchObject({ connections: 0, denied: { credential_invalid: 1 } });
    });

    test("rejectAs: 'close' answers a foreign origin with 403, so that a foreign page does not learn who is logged in", async () => {
      const started = await start(chatGuard(policy));
      const headers = { ...(await goodHeaders()), Origin: 'https://evil.example' };
      expect(await refusal(started.port, { headers })).toMatchObject({ status: 403 });
    });

    test("rejectAs: 'close' answers a wrong token with 401 beyond limits.rejectedSockets", async () => {
      const started = await start(chatGuard({ ...policy, limits: { rejectedSockets: 1 } }));
      const headers = { Authorization: 'Bearer wrong' };
      const first = await admitted(started.port, { headers });
      wires.push(first);
      expect(await refusal(started.port, { headers })).toMatchObject({ status: 401 });
    });

    test("rejectAs: 'close' drops a rejected socket after 5 s although its peer never closes", async () => {
      const clock = new ManualClock();
      const started = await start(chatGuard({ ...policy, clock }));
      const wire = await admitted(started.port, { headers: { Authorization: 'Bearer wrong' } });
      wires.push(wire);
      await wire.closeCode();
      clock.advance(5_000);
      await wire.until(() => wire.ended, 'the end of the connection');
    });
  });

  test('with rate, subprotocol and origin in policy.report, a handshake that breaks all three is recorded and admitted', async () => {
    const policy = {
      auth: [chatJwt([bearer()])],
      report: ['rate', 'subprotocol', unsafeReportOrigin],
    } as const;
    const guard = chatGuard({ ...policy, limits: { handshakes: { rate: '1/m', burst: 1 } } });
    const reported: string[] = [];
    guard.on('handshake.reported', ({ stage, reason }) => reported.push(`${stage} ${reason}`));
    const started = await start(guard);
    const headers = {
      ...(await goodHeaders()),
      Origin: 'https://evil.example',
      'Sec-WebSocket-Protocol': 'odd',
    };
    // Pages of other origins have a rate of their own.
    wires.push(await admitted(started.port, { headers }));
    reported.length = 0;
    wires.push(await admitted(started.port, { headers }));
    expect(reported).toEqual([
      'rate handshake_rate',
      'origin origin_denied',
      'subprotocol subprotocol_denied',
    ]);
    expect(guard.stats().denied).toEqual({});
  });

  test('guard.close({ within }) closes with 1001 and drops a peer that does not answer at the deadline', async () => {
    const clock = new ManualClock();
    const guard = chatGuard({ clock });
    const started = await start(guard);
    const silent = await open(started, '/chat', 'alice');
    await eventually(() => guard.stats().connections === 1, 'the connection');
    const closed = guard.close({ within: '3s' });
    expect(await silent.closeCode()).toBe(1001);
    clock.advance(3_000);
    await closed;
    await silent.until(() => silent.ended, 'the end of the connection');
    expect(guard.stats().connections).toBe(0);
  });

  test('an authenticator that answers after limits.handshakeTimeout changes nothing: 408, and the slot is free', async () => {
    const clock = new ManualClock();
    let answer: ((identity: { subject: string }) => void) | undefined;
    const late = custom({
      scheme: 'late',
      from: [bearer()],
      authenticate: () =>
        new Promise<{ subject: string }>((resolve) => {
          answer = resolve;
        }),
    });
    const guard = chatGuard({ clock, auth: [late], limits: { handshakeTimeout: '2s', connections: 1 } });
    const started = await start(guard);
    const wire = await Wire.open(started.port);
    wires.push(wire);
    wire.handshake({ headers: { Authorization: 'Bearer x' } });
    await eventually(() => answer !== undefined, 'the authenticator');
    clock.advance(2_000);
    expect(await wire.answer()).toMatchObject({ status: 408 });
    answer?.({ subject: 'alice' });
    answer = undefined;

    const next = await Wire.open(started.port);
    wires.push(next);
    next.handshake({ headers: { Authorization: 'Bearer x' } });
    await eventually(() => answer !== undefined, 'the authenticator');
    (answer as unknown as (identity: { subject: string }) => void)({ subject: 'bob' });
    expect(await next.head()).toMatchObject({ status: 101 });
    expect(started.handled).toHaveLength(1);
  });
});

// H8: one deadline covers the whole handshake, the wait for an authenticator included. A reset during that wait crashes nothing
// and frees its slots. @fastify/websocket CVE-2022-39386 and socket.io CVE-2024-38355 were such crashes.
import type { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { bearer, custom, systemClock } from '@sallyport/core';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { chatGuard, NOW } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';

/** An authenticator that a test answers for, and that counts aborts. */
function slow() {
  const waiting: ((identity: { subject: string }) => void)[] = [];
  let aborted = 0;
  const authenticator = custom({
    scheme: 'slow',
    from: [bearer()],
    authenticate: ({ signal }) => {
      signal.addEventListener('abort', () => aborted++);
      return new Promise<{ subject: string }>((resolve) => waiting.push(resolve));
    },
  });
  return { authenticator, waiting, aborted: () => aborted };
}

const headers = { Authorization: 'Bearer anything' };

describe.each(hosts)('$name', (host) => {
  const { start, dial } = applications();

  test('a handshake whose authenticator never settles gets 408 at limits.handshakeTimeout', async () => {
    const { authenticator, aborted } = slow();
    const clock = { ...systemClock, now: () => NOW * 1_000 };
    const guard = chatGuard({ clock, auth: [authenticator], limits: { handshakeTimeout: '40ms' } });
    const app = await start(host, { guard });
    const answer = await (await dial(app)).handshake({ headers }).answer();
    expect(verdict(answer)).toBe('408 auth_timeout');
    expect(aborted()).toBe(1);
    expect(app.handled).toEqual([]);
  });

  test('a client that resets while the authenticator runs aborts it, and its slot is free for the next one', async () => {
    const { authenticator, waiting, aborted } = slow();
    const guard = chatGuard({ auth: [authenticator], limits: { connections: 1 } });
    const app = await start(host, { guard });
    for (const early of ['', 'x'.repeat(50_000)]) {
      const wire = (await dial(app)).handshake({ headers, after: early });
      await eventually(() => waiting.length === 1, 'the authenticator');
      const before = aborted();
      wire.reset();
      await eventually(() => aborted() > before, 'the news that the client is gone');
      waiting.pop()?.({ subject: 'alice' });
    }
    const wire = (await dial(app)).handshake({ headers });
    await eventually(() => waiting.length === 1, 'the authenticator');
    waiting.pop()?.({ subject: 'alice' });
    expect(await wire.head()).toMatchObject({ status: 101 });
    await eventually(() => app.handled.length === 1, 'the one handler');
    expect(guard.stats()).toMatchObject({ connections: 1, admitted: 1 });
  });

  test('a client that ends its side while the authenticator runs aborts it, and its socket ends', async () => {
    const { authenticator, waiting, aborted } = slow();
    const app = await start(host, { guard: chatGuard({ auth: [authenticator] }) });
    const wire = (await dial(app)).handshake({ headers });
    await eventually(() => waiting.length === 1, 'the authenticator');
    wire.socket.end();
    await eventually(() => aborted() === 1, 'the news that the client is gone');
    await wire.until(() => wire.ended, 'the end of the socket');
  });

  test('bytes sent during the handshake do not extend its deadline: 408 after 10 s', async () => {
    const { authenticator, waiting } = slow();
    const clock = new ManualClock();
    const app = await start(host, { guard: chatGuard({ clock, auth: [authenticator] }) });
    const wire = (await dial(app)).handshake({ headers });
    await eventually(() => waiting.length === 1, 'the authenticator');
    for (let second = 0; second < 9; second++) {
      wire.send('still here');
      clock.advance(1_000);
    }
    expect(wire.ended).toBe(false);
    clock.advance(1_000);
    expect(verdict(await wire.answer())).toBe('408 auth_timeout');
  });

  test('a client whose socket is destroyed at the moment of admission leaves no slot behind', async () => {
    const { authenticator, waiting } = slow();
    const guard = chatGuard({ auth: [authenticator], limits: { connections: 1 } });
    const app = await start(host, { guard });
    const sockets: Socket[] = [];
    app.server.on('connection', (socket: Socket) => sockets.push(socket));
    const stop = guard.on('handshake.admitted', () => sockets.at(-1)?.destroy());
    const gone = (await dial(app)).handshake({ headers });
    await eventually(() => waiting.length === 1, 'the authenticator');
    waiting.pop()?.({ subject: 'alice' });
    await gone.until(() => gone.ended, 'the end of the connection');
    stop();

    const wire = (await dial(app)).handshake({ headers });
    await eventually(() => waiting.length === 1, 'the authenticator');
    waiting.pop()?.({ subject: 'alice' });
    expect(await wire.head()).toMatchObject({ status: 101 });
    expect(app.handled).toHaveLength(1);
  });

  test('an authenticator that answers after the deadline leaves no slot behind', async () => {
    const { authenticator, waiting } = slow();
    const clock = new ManualClock();
    const guard = chatGuard({ clock, auth: [authenticator], limits: { connections: 1 } });
    const app = await start(host, { guard });
    const late = (await dial(app)).handshake({ headers });
    await eventually(() => waiting.length === 1, 'the authenticator');
    clock.advance(10_000);
    expect(verdict(await late.answer())).toBe('408 auth_timeout');
    waiting.pop()?.({ subject: 'late' });

    const wire = (await dial(app)).handshake({ headers });
    await eventually(() => waiting.length === 1, 'the authenticator');
    waiting.pop()?.({ subject: 'alice' });
    expect(await wire.head()).toMatchObject({ status: 101 });
  });
});

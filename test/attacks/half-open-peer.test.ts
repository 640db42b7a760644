// H7: a refused or closed peer that never closes its own side does not keep its socket (ws #1322 and many more).
import type { Server } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { systemClock } from '@sallyport/core';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { chatGuard, goodHeaders, NOW } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { SlowPeer } from '../support/slow-peer.ts';
import { frame, handshakeBytes } from '../support/wire.ts';

const openSockets = (server: Server): Promise<number> =>
  new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );

describe.each(hosts)('$name', (host) => {
  const { start, dial, open } = applications();

  test('the socket of a refused handshake is destroyed although the client keeps it open', async () => {
    const app = await start(host, { guard: chatGuard() });
    // This client keeps its own side open and goes on reading.
    const wire = (await dial(app)).handshake();
    expect(verdict(await wire.answer())).toBe('401 credential_missing');
    expect(wire.socket.writable).toBe(true);
    await eventually(async () => (await openSockets(app.server)) === 0, 'the end of the socket');
  });

  test('the socket of a peer that does not read its refusal is destroyed after 2 s', async () => {
    const clock = new ManualClock();
    const guard = chatGuard({ clock });
    const app = await start(host, { guard });
    const peer = new SlowPeer({ hears: false });
    app.server.emit('connection', peer);
    peer.push(handshakeBytes());
    await eventually(() => guard.stats().denied.credential_missing === 1, 'the refusal');
    clock.advance(1_999);
    expect(peer.destroyed).toBe(false);
    clock.advance(1);
    expect(peer.destroyed).toBe(true);
  });

  test('a peer that sends a broken frame and stays is closed with 1002 and dropped after 5 s', async () => {
    const clock = new ManualClock();
    const guard = chatGuard({ clock });
    const app = await start(host, { guard });
    const wire = await open(app, { headers: await goodHeaders() });
    wire.send(frame('of no known kind', 0x3));
    expect(await wire.closeCode()).toBe(1002);
    clock.advance(5_000);
    await eventually(() => guard.stats().connections === 0, 'the end of the connection');
  });

  test('a peer that ignores the close frame of a denial is dropped after 5 s', async () => {
    const clock = new ManualClock();
    const guard = chatGuard({ clock, onDenied: 'close' });
    const app = await start(host, { guard });
    const wire = await open(app, { headers: await goodHeaders() });
    wire.send(frame('junk'));
    expect(await wire.closeCode()).toBe(4400);
    clock.advance(5_000);
    await eventually(() => guard.stats().connections === 0, 'the end of the connection');
    await eventually(async () => (await openSockets(app.server)) === 0, 'the end of the socket');
  });

  if (host.capabilities.boundsPeersClose) {
    test('a peer that sends a close frame and stays is dropped after limits.closeTimeout', async () => {
      // The tokens use the tests' fixed time; only the timers are real.
      const clock = { ...systemClock, now: () => NOW * 1_000 };
      const guard = chatGuard({ clock, limits: { closeTimeout: '30ms' } });
      const app = await start(host, { guard });
      const wire = await open(app, { headers: await goodHeaders() });
      wire.send(frame(Buffer.from([0x03, 0xe8]), 0x8));
      expect(await wire.closeCode()).toBe(1000);
      await eventually(() => guard.stats().connections === 0, 'the end of the connection');
    });
  }
});

// M7: a handler that throws or rejects ends its connection with 1011; it ends no other, nor the process, and is never an
// unhandled rejection (express-ws; uppy #5920). Jest fails a test in which one occurs.
import { describe, expect, test } from '@jest/globals';
import type { ChatHandler } from '../contract/hosts/host.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { frame } from '../support/wire.ts';

const boom = (): never => {
  throw new Error('a bug, with a secret in it');
};
const reject = async (): Promise<never> => boom();

const onMessage: Record<string, ChatHandler> = {
  'a typed handler throws': (connection) => void connection.on('say', boom),
  'a typed handler rejects': (connection) => void connection.on('say', reject),
  'a typed handler throws later': (connection) =>
    void connection.on('say', async () => {
      await null;
      boom();
    }),
  "the bare library's handler throws": (_connection, socket) => void socket.on('message', boom),
  "the bare library's handler rejects": (_connection, socket) => void socket.on('message', reject),
  'a handler sends what is no reply of the policy': (connection) =>
    void connection.on('say', () => void connection.send('said', { text: 1n as never })),
};

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  async function chat(handler: ChatHandler) {
    const guard = chatGuard();
    const faults: unknown[] = [];
    guard.on('fault', (event) => faults.push(event.stage));
    const app = await start(host, { guard, chat: handler });
    return { guard, faults, app };
  }

  test.each(Object.entries(onMessage))('%s', async (_what, handler) => {
    const { guard, faults, app } = await chat(handler);
    const other = await open(app, { headers: await goodHeaders('bob') });
    const wire = await open(app, { headers: await goodHeaders() });
    await eventually(() => app.handled.length === 2, 'both handlers');
    wire.send(frame('{"type":"say","text":"hi"}'));
    expect(await wire.closeCode()).toBe(1011);
    expect(
      wire
        .frames()
        .map(({ data }) => data.toString())
        .join(),
    ).not.toContain('secret');
    expect(faults).toEqual(['dispatch']);
    wire.destroy();
    await eventually(() => guard.stats().connections === 1, 'the end of one connection');
    expect(other.ended).toBe(false);
  });

  test('the handler of the route throws', async () => {
    const { faults, app } = await chat(boom);
    const wire = await open(app, { headers: await goodHeaders() });
    expect(await wire.closeCode()).toBe(1011);
    expect(faults).toEqual(['dispatch']);
  });

  if (host.capabilities.catchesRejections) {
    test('the handler of the route rejects', async () => {
      const { faults, app } = await chat(reject);
      const wire = await open(app, { headers: await goodHeaders() });
      expect(await wire.closeCode()).toBe(1011);
      expect(faults).toEqual(['dispatch']);
    });
  }

  test('a listener of events that throws changes no decision', async () => {
    const { guard, app } = await chat((connection) => void connection.onClose(boom));
    for (const name of ['handshake.admitted', 'connection.opened', 'connection.closed', 'fault'] as const)
      guard.on(name, boom);
    const wire = await open(app, { headers: await goodHeaders() });
    await eventually(() => guard.stats().connections === 1, 'the connection');
    wire.destroy();
    await eventually(() => guard.stats().connections === 0, 'the end of the connection');
  });

  test('broken frames and resets of many connections end nothing but these', async () => {
    // @fastify/websocket CVE-2022-39386, socket.io CVE-2024-38355: without an error listener the process ended.
    const { guard, app } = await chat(() => {});
    for (const bytes of [
      frame('x', 0x3),
      frame('x', 0x1, 0x40),
      Buffer.from([0x81, 0x01, 0x00]),
      Buffer.from([0x89, 0xff]),
    ]) {
      const wire = await open(app, { headers: await goodHeaders() });
      wire.send(bytes);
      wire.socket.end();
      const reset = await open(app, { headers: await goodHeaders() });
      reset.send(frame('{"type":"say"')).reset();
    }
    await eventually(() => guard.stats().connections === 0, 'the end of all connections');
    await open(app, { headers: await goodHeaders() });
  });
});

import { createServer } from 'node:http';
import { expect, test } from '@jest/globals';
import { connectionOf, guardServer } from '@sallyport/ws';
import { type ServerOptions, WebSocketServer } from 'ws';
import { servers } from '../../../test/support/served.ts';
import { frame } from '../../../test/support/wire.ts';
import { guardOf } from '../../core/test/support/guards.ts';

const { listen, open } = servers();
const HEADERS = { Origin: 'http://localhost' };

function guarded(options: ServerOptions, policy: Parameters<typeof guardOf>[0] = {}) {
  const server = createServer();
  const guard = guardOf(policy);
  const wss = new WebSocketServer({ noServer: true, ...options });
  guardServer(server, wss, guard);
  wss.on('connection', (socket) => {
    connectionOf(socket, guard);
    socket.on('message', (text) => socket.send(`got ${String(text).length}`));
  });
  return server;
}

test.each<[string, ServerOptions, string]>([
  [
    'handleProtocols',
    { handleProtocols: () => 'chat' },
    'guardServer(…, wss, …): its handleProtocols would never be asked, since the policy selects the subprotocol. Leave it out, and list them in policy.subprotocols.',
  ],
  [
    'perMessageDeflate',
    { perMessageDeflate: { threshold: 10 } },
    'guardServer(…, wss, …): its perMessageDeflate would have no effect, since the policy allows no compression. Leave it out, or say compression: true in the policy.',
  ],
])(
  '%s of a ws server, which the policy replaces, is refused when it is guarded',
  (_name, options, message) => {
    expect(() => guarded(options)).toThrow(message);
  },
);

test('perMessageDeflate stays where the policy allows compression', () => {
  expect(() => guarded({ perMessageDeflate: true }, { compression: true })).not.toThrow();
});

test.each([
  ['lower than that of the policy', 60, 1009],
  ['of 0, which means none in ws,', 0, undefined],
  ['higher than that of the policy', 1_000_000, undefined],
])('a maxPayload %s: the stricter limit counts', async (_what, maxPayload, code) => {
  const port = await listen(guarded({ maxPayload }));
  const wire = await open(port, { headers: HEADERS });
  wire.send(frame(JSON.stringify({ type: 'say', text: 'x'.repeat(60) })));
  if (code === undefined)
    expect(await wire.messages(1)).toEqual([expect.stringContaining('message_invalid')]);
  else expect(await wire.closeCode()).toBe(code);
  wire.send(frame(JSON.stringify({ type: 'say', text: 'x'.repeat(80_000) })));
  expect(await wire.closeCode()).toBe(1009);
});

test('with skipUTF8Validation a text that is no UTF-8 still closes with 1007', async () => {
  const port = await listen(guarded({ skipUTF8Validation: true }));
  const wire = await open(port, { headers: HEADERS });
  wire.send(
    frame(Buffer.concat([Buffer.from('{"type":"say","text":"'), Buffer.from([0xff]), Buffer.from('"}')])),
  );
  expect(await wire.closeCode()).toBe(1007);
});

test('clientTracking: false is kept', async () => {
  const port = await listen(guarded({ clientTracking: false }));
  const wire = await open(port, { headers: HEADERS });
  wire.send(frame(JSON.stringify({ type: 'say', text: 'hi' })));
  expect((await wire.messages(1))[0]).toMatch(/^got/);
});

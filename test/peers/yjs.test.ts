import { describe, expect, test } from '@jest/globals';
import { passthrough, type Reason } from '@sallyport/core';
import { docs, setupWSConnection } from '@y/websocket-server/utils';
import { WebsocketProvider } from 'y-websocket';
import { Doc } from 'yjs';
import { hosts } from '../contract/hosts/index.ts';
import { goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { closeCode, mirrored, peers, strangers } from '../support/peers.ts';

/** Limits that are large enough for a test with a fixed clock. */
const ROOM: NonNullable<PolicyOverrides['limits']> = { messages: { rate: '1/m', burst: 1_000 } };

describe.each(hosts)('$name', (host) => {
  const { ends, serve, socketClass } = peers();

  const start = async (policy: PolicyOverrides = {}) => {
    // The server keeps its documents in a module-level map.
    ends(docs, () => {
      for (const doc of docs.values()) doc.destroy();
      docs.clear();
    });
    return serve(
      host,
      { messages: passthrough({ binary: true }), limits: ROOM, ...policy },
      (connection, socket) =>
        // The server needs only the URL, and not every host hands over the client's request.
        setupWSConnection(socket, undefined as never, { docName: connection.path }),
    );
  };

  /** An editor with a copy of the document and its own connection. */
  const open = async (origin: string, headers?: Record<string, string>) => {
    const { PeerSocket, sockets, transcripts } = socketClass(headers ?? (await goodHeaders()));
    const doc = new Doc();
    const provider = new WebsocketProvider(origin, 'chat', doc, {
      WebSocketPolyfill: PeerSocket as unknown as typeof WebSocket,
      // Two providers in one process would synchronise without the server.
      disableBc: true,
      maxBackoffTime: 10,
    });
    ends(provider, () => {
      provider.destroy();
      doc.destroy();
    });
    const closed: (CloseEvent | null)[] = [];
    provider.on('connection-close', (event) => closed.push(event));
    const errors: string[] = [];
    provider.on('connection-error', (event) => errors.push((event as ErrorEvent).message));
    return { doc, text: doc.getText('text'), provider, sockets, transcripts, closed, errors };
  };
  type Editor = Awaited<ReturnType<typeof open>>;
  const synced = ({ provider }: Editor) => eventually(() => provider.synced, 'the first synchronisation');
  const converged = (editors: readonly Editor[], length: number) =>
    eventually(
      () =>
        new Set(editors.map(({ text }) => text.toString())).size === 1 && editors[0]?.text.length === length,
      `${length} characters at both ends: ${editors.map(({ text }) => text.toString())}`,
    );

  test('edits on two clients converge, and their messages pass unchanged', async () => {
    const served = await start();
    const alice = await open(served.origin);
    await synced(alice);
    const bob = await open(served.origin, await goodHeaders('bob'));
    await synced(bob);
    alice.text.insert(0, 'Hello, ');
    bob.text.insert(0, 'world!');
    await converged([alice, bob], 13);
    bob.text.delete(0, 6);
    alice.text.insert(0, 'Zoë: ');
    await converged([alice, bob], 12);
    alice.provider.awareness.setLocalStateField('user', 'alice');
    const states = () => [...bob.provider.awareness.getStates().values()];
    await eventually(() => states().some(({ user }) => user === 'alice'), 'the presence of the other');

    for (const { provider } of [alice, bob]) provider.disconnect();
    await eventually(() => served.closed.length === 2, 'the end of both connections');
    await Promise.all([closeCode(alice.sockets), closeCode(bob.sockets)]);
    expect(served.transcripts).toEqual([...alice.transcripts, ...bob.transcripts].map(mirrored));
    expect([served.denied, served.faults]).toEqual([[], []]);
  });

  test('edits made while disconnected are merged after the reconnect', async () => {
    const served = await start();
    const alice = await open(served.origin);
    const bob = await open(served.origin, await goodHeaders('bob'));
    await Promise.all([synced(alice), synced(bob)]);
    alice.provider.disconnect();
    alice.text.insert(0, 'apart');
    bob.text.insert(0, 'alone');
    alice.provider.connect();
    await converged([alice, bob], 10);

    // This time the server closes, and the provider reconnects by itself through the guard.
    for (const socket of served.sockets) socket.terminate();
    await eventually(
      () => alice.closed.length === 2 && bob.closed.length === 1,
      'the end of both connections',
    );
    bob.text.insert(0, 'again');
    await converged([alice, bob], 15);
    expect(served.guard.stats().admitted).toBe(5);
    expect([served.denied, served.faults]).toEqual([[], []]);
  });

  test.each(strangers)('$what is refused before the 101', async ({ headers, status, reason }) => {
    const served = await start();
    const { provider, errors, text } = await open(served.origin, await headers());
    text.insert(0, 'let me in');
    await eventually(() => errors.length > 0, 'the refusal');
    provider.disconnect();
    expect(errors[0]).toBe(`Unexpected server response: ${status}`);
    expect(served.denied[0]).toBe(reason);
    expect([provider.synced, served.handled, served.guard.stats().admitted, docs.size]).toEqual([
      false,
      [],
      0,
      0,
    ]);
  });

  test.each<[string, number, Reason, PolicyOverrides]>([
    ['an update above limits.message', 1009, 'message_too_big', { limits: { ...ROOM, message: '1KiB' } }],
    [
      'updates above limits.messages',
      4429,
      'message_rate',
      { limits: { messages: { rate: '1/m', burst: 5 } } },
    ],
    // The messages come as ArrayBuffers, since the server sets `binaryType`.
    [
      'bytes above limits.bytes',
      4429,
      'message_rate',
      { limits: { ...ROOM, bytes: { rate: '1B/s', burst: '1KiB' } } },
    ],
  ])(
    '%s: the connection closes with %i, and the document stays small',
    async (_what, code, reason, policy) => {
      const served = await start(policy);
      const alice = await open(served.origin);
      await synced(alice);
      if (code === 1009) alice.text.insert(0, 'x'.repeat(2_000));
      else for (let i = 0; i < 20; i++) alice.text.insert(0, 'x'.repeat(100));
      await eventually(() => alice.closed.length > 0, 'the end of the connection');
      alice.provider.disconnect();
      expect(alice.closed[0]?.code).toBe(code);
      expect(served.denied[0]).toBe(reason);
      expect(docs.get('/chat')?.getText('text').length).toBeLessThan(2_000);
    },
  );

  test('y-websocket does not reconnect after a close with 4429, as after every code from 4400 to 4499', async () => {
    const served = await start({ limits: { messages: { rate: '1/m', burst: 5 } } });
    const { text, provider } = await open(served.origin);
    const ended: unknown[] = [];
    provider.on('closed', (event) => ended.push(event));
    await eventually(() => provider.synced, 'the first synchronisation');
    for (let i = 0; i < 10; i++) text.insert(0, 'x');
    await eventually(() => ended.length === 1, 'the end');
    expect(ended).toEqual([{ code: 4429, reason: 'Too many messages.' }]);
    expect(provider.shouldConnect).toBe(false);
  });

  test('a text frame closes with 1003 under passthrough({ binary: true })', async () => {
    const served = await start();
    const alice = await open(served.origin);
    await synced(alice);
    alice.sockets[0]?.send('text');
    expect(await closeCode(alice.sockets)).toBe(1003);
    expect(served.denied).toEqual(['frame_unsupported']);
  });

  test('a binary frame closes with 1003 under passthrough({ text: true })', async () => {
    const served = await start({ messages: passthrough({ text: true }) });
    const { provider, sockets, text } = await open(served.origin);
    text.insert(0, 'text');
    expect(await closeCode(sockets)).toBe(1003);
    provider.disconnect();
    expect(served.denied[0]).toBe('frame_unsupported');
    expect(docs.get('/chat')?.getText('text').length).toBe(0);
  });
});

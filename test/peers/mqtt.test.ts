import { createRequire } from 'node:module';
import { type Duplex, PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { passthrough, type Reason } from '@sallyport/core';
import { Aedes } from 'aedes';
import mqtt, { type IClientOptions } from 'mqtt';
import { createWebSocketStream } from 'ws';
import { hosts } from '../contract/hosts/index.ts';
import { goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { closeCode, mirrored, peers, strangers } from '../support/peers.ts';

type Limits = NonNullable<PolicyOverrides['limits']>;
type Stream = typeof createWebSocketStream;

/** MQTT.js writes the parts of a packet one by one, so that a CONNECT comes in ten messages. */
const ROOM: Limits = { messages: { rate: '1/m', burst: 1_000 } };

const fromExpressWs = createRequire(createRequire(import.meta.url).resolve('express-ws'));

/**
 * Makes a stream of a host's socket. The function has to be of the same ws version as the socket: the stream of ws 8 calls
 * `pause()`, which sockets of ws 7 do not have.
 */
const foreignStreams: Readonly<Record<string, Stream>> = {
  'express-ws': (fromExpressWs('ws') as typeof import('ws')).createWebSocketStream,
};

/** Whether one `read()` returns all that a stream holds, as aedes assumes. From Node 26 on it returns one chunk. */
const readsAll = ((stream) => {
  stream.write('a');
  stream.write('b');
  return stream.read().length === 2;
})(new PassThrough());

/** Without a guard, too, aedes 1.2 misses a CONNECT in several parts if `read()` returns one part at a time. */
function readable(stream: Duplex): Duplex {
  if (readsAll) return stream;
  const read = stream.read.bind(stream);
  stream.read = (size?: number | null) => {
    if (typeof size === 'number') return read(size);
    const chunks: Buffer[] = [];
    for (let chunk = read(); chunk !== null; chunk = read()) chunks.push(chunk);
    return chunks.length === 0 ? null : Buffer.concat(chunks);
  };
  return stream;
}

describe.each(hosts)('$name', (host) => {
  const { ends, serve, socketClass } = peers();
  const ownStream = foreignStreams[host.name] ?? createWebSocketStream;

  const start = async (policy: PolicyOverrides = {}, stream: Stream = ownStream) => {
    const broker = await Aedes.createBroker();
    ends(broker, () => new Promise<void>((resolve) => broker.close(resolve)));
    const served = await serve(
      host,
      { messages: passthrough({ binary: true }), subprotocols: ['mqtt'], limits: ROOM, ...policy },
      (_connection, socket) => void broker.handle(readable(stream(socket))),
    );
    return { ...served, broker };
  };

  const dial = async (origin: string, clientId: string, headers?: Record<string, string>) => {
    const { PeerSocket, sockets, transcripts, errors } = socketClass(
      headers ?? (await goodHeaders(clientId)),
    );
    const options: IClientOptions = {
      clientId,
      createWebsocket: (url, protocols) => new PeerSocket(url, protocols),
      reconnectPeriod: 0,
    };
    const client = ends(mqtt.connect(`${origin}/chat`, options), (each) => each.endAsync(true));
    const received: string[] = [];
    client.on('message', (topic, payload, { qos, retain }) =>
      received.push(
        `${topic} ${payload.length > 20 ? payload.length : payload} ${qos}${retain ? ' retained' : ''}`,
      ),
    );
    const events: string[] = [];
    for (const event of ['connect', 'close', 'error'] as const) client.on(event, () => events.push(event));
    const happened = (event: string) => eventually(() => events.includes(event), `the client's '${event}'`);
    return { client, sockets, transcripts, errors, received, events, happened };
  };
  const connect = async (origin: string, clientId: string) => {
    const dialled = await dial(origin, clientId);
    await dialled.happened('connect');
    return dialled;
  };

  test('publications with QoS 0, 1 and 2 reach a subscriber, and a retained one a later subscriber, unchanged', async () => {
    const served = await start();
    const alice = await connect(served.origin, 'alice');
    const bob = await connect(served.origin, 'bob');
    expect([alice.sockets[0]?.protocol, bob.sockets[0]?.protocol]).toEqual(['mqtt', 'mqtt']);
    expect([...served.guard.connections()].map(({ subprotocol }) => subprotocol)).toEqual(['mqtt', 'mqtt']);

    await bob.client.subscribeAsync('room/#', { qos: 2 });
    await alice.client.publishAsync('room/a', 'at most once', { qos: 0 });
    await alice.client.publishAsync('room/b', 'at least once', { qos: 1 });
    await alice.client.publishAsync('room/c', 'exactly once', { qos: 2, retain: true });
    await eventually(() => bob.received.length === 3, 'three publications');
    expect(bob.received).toEqual([
      'room/a at most once 0',
      'room/b at least once 1',
      'room/c exactly once 2',
    ]);

    const carol = await connect(served.origin, 'carol');
    await carol.client.subscribeAsync('room/+', { qos: 2 });
    await eventually(() => carol.received.length === 1, 'what is retained');
    expect(carol.received).toEqual(['room/c exactly once 2 retained']);

    const everybody = [alice, bob, carol];
    for (const { client } of everybody) await client.endAsync();
    await eventually(() => served.closed.length === 3, 'the end of the connections');
    await Promise.all(everybody.map(({ sockets }) => closeCode(sockets)));
    expect(served.transcripts).toEqual(everybody.flatMap(({ transcripts }) => transcripts).map(mirrored));
    expect(everybody.map(({ events }) => events)).toEqual(everybody.map(() => ['connect', 'close']));
    expect([served.denied, served.faults]).toEqual([[], []]);
  });

  const big = async (stream?: Stream) => {
    const served = await start({ limits: { ...ROOM, message: '1MiB' } }, stream);
    const alice = await connect(served.origin, 'alice');
    await alice.client.subscribeAsync('big');
    alice.client.publish('big', Buffer.alloc(500_000));
    return { served, alice };
  };

  test('a payload of 500 KB, more than a stream buffers, reaches the subscriber', async () => {
    const { served, alice } = await big();
    await eventually(() => alice.received.length === 1, 'the publication');
    expect(alice.received).toEqual(['big 500000 0']);
    expect(served.faults).toEqual([]);
  });

  if (host.name in foreignStreams) {
    test('a stream of another ws version throws when it is full, and the connection closes with 1011', async () => {
      const { served, alice } = await big(createWebSocketStream);
      expect(await closeCode(alice.sockets)).toBe(1011);
      expect(served.faults).toEqual([expect.objectContaining({ message: 'ws.pause is not a function' })]);
      expect(alice.received).toEqual([]);
    });
  }

  test.each(strangers)('$what is refused before the 101', async ({ headers, status, reason }) => {
    const { origin, denied, handled, guard, broker } = await start();
    // MQTT.js does not report the status. It emits only 'close'.
    const { events, happened, errors } = await dial(origin, 'eve', await headers());
    await happened('close');
    expect([errors, events]).toEqual([[`Unexpected server response: ${status}`], ['close']]);
    expect(denied).toEqual([reason]);
    expect([handled, guard.stats().admitted, broker.connectedClients]).toEqual([[], 0, 0]);
  });

  test('a policy without the subprotocol of MQTT refuses its clients with 400', async () => {
    const { origin, denied } = await start({ subprotocols: ['mqttv3.1'] });
    const { happened, errors } = await dial(origin, 'alice');
    await happened('close');
    expect(errors).toEqual(['Unexpected server response: 400']);
    expect(denied).toEqual(['subprotocol_denied']);
  });

  test.each<[string, number, Reason, Limits]>([
    ['a payload above limits.message', 1009, 'message_too_big', { ...ROOM, message: '1KiB' }],
    ['publications above limits.messages', 4429, 'message_rate', { messages: { rate: '1/m', burst: 40 } }],
    ['bytes above limits.bytes', 4429, 'message_rate', { ...ROOM, bytes: { rate: '1B/s', burst: '4KiB' } }],
  ])(
    '%s: the connection closes with %i, and not all publications arrive',
    async (_what, code, reason, limits) => {
      const { origin, denied, broker } = await start({ limits });
      const { client, sockets, happened } = await connect(origin, 'alice');
      let published = 0;
      broker.on('publish', ({ topic }) => {
        if (topic === 'room') published++;
      });
      for (let i = 0; i < 20; i++) client.publish('room', 'x'.repeat(2_000));
      await happened('close');
      expect(await closeCode(sockets)).toBe(code);
      expect(denied).toEqual([reason]);
      expect(published).toBeLessThan(20);
      await eventually(() => broker.connectedClients === 0, 'the end of the session');
    },
  );

  test('a text frame closes with 1003 under passthrough({ binary: true })', async () => {
    const { origin, denied } = await start();
    const { sockets, happened } = await connect(origin, 'alice');
    sockets[0]?.send('text');
    await happened('close');
    expect(await closeCode(sockets)).toBe(1003);
    expect(denied).toEqual(['frame_unsupported']);
  });

  test('a binary frame closes with 1003 under passthrough({ text: true })', async () => {
    const { origin, denied, broker } = await start({ messages: passthrough({ text: true }) });
    const { sockets, happened } = await dial(origin, 'alice');
    await happened('close');
    expect(await closeCode(sockets)).toBe(1003);
    expect(denied).toEqual(['frame_unsupported']);
    expect(broker.connectedClients).toBe(0);
  });
});

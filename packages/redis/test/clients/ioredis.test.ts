import { EventEmitter } from 'node:events';
import { expect, test } from '@jest/globals';
import { IoRedisPort } from '../../src/clients/ioredis.ts';
import { Deadline } from '../../src/deadline.ts';

/** As much of an ioredis client as the store sees. */
class FakeClient extends EventEmitter {
  status = 'ready';
  isCluster = false;
  readonly duplicates: FakeClient[] = [];
  readonly channels: string[] = [];
  disconnected = 0;

  async connect(): Promise<void> {
    this.become('connecting');
  }

  disconnect(): void {
    this.disconnected++;
  }

  duplicate(): FakeClient {
    const duplicate = new FakeClient();
    duplicate.status = 'connecting';
    this.duplicates.push(duplicate);
    return duplicate;
  }

  async evalsha(): Promise<void> {}
  async eval(): Promise<void> {}

  async subscribe(channel: string): Promise<void> {
    if (this.status !== 'ready') throw new Error('Connection is closed.');
    this.channels.push(channel);
  }

  become(status: string): void {
    this.status = status;
    this.emit(status);
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const noNews = { message() {}, subscribed() {} };

test('the port reports the state of the ioredis client, and a Cluster that has ended stays closed', () => {
  const client = new FakeClient();
  const port = new IoRedisPort(client);
  const states = ['connecting', 'connect', 'ready', 'close', 'reconnecting', 'end', 'close'].map((status) => {
    client.become(status);
    return port.state;
  });
  expect(states).toEqual(['offline', 'offline', 'ready', 'offline', 'offline', 'closed', 'closed']);
  client.become('connecting');
  expect(port.state).toBe('offline');
});

test('a lazy ioredis client is connected before it gets commands', () => {
  const client = new FakeClient();
  client.status = 'wait';
  expect(new IoRedisPort(client).state).toBe('offline');
  expect(client.status).toBe('connecting');
});

test('whenReady rejects at the deadline and leaves no listener on the client', async () => {
  const client = new FakeClient();
  const port = new IoRedisPort(client);
  const before = client.listenerCount('ready') + client.listenerCount('end');
  client.status = 'reconnecting';
  const short = port.whenReady(new Deadline(10)).catch(({ code }) => code);
  const long = port.whenReady(new Deadline(60_000));
  expect(await short).toBe('timeout');
  client.become('ready');
  await long;
  const closing = port.whenReady(new Deadline(60_000)).catch(({ code }) => code);
  client.become('end');
  expect(await closing).toBe('closed');
  expect(await port.whenReady(new Deadline(5)).catch(({ code }) => code)).toBe('timeout');
  expect(client.listenerCount('ready') + client.listenerCount('end')).toBe(before);
});

test('an error event of the client or its duplicate does not end the process', () => {
  const client = new FakeClient();
  new IoRedisPort(client).subscribe('news', noNews);
  for (const emitter of [client, client.duplicates[0]]) emitter?.emit('error', new Error('ECONNREFUSED'));
});

test('a subscription uses a duplicate, subscribes again on every reconnect, and reports when it is done', async () => {
  const client = new FakeClient();
  const heard: string[] = [];
  const port = new IoRedisPort(client);
  port.subscribe('news', { message: (text) => heard.push(text), subscribed: () => heard.push('subscribed') });
  const [duplicate] = client.duplicates as [FakeClient];
  for (let i = 0; i < 2; i++) {
    duplicate.become('ready');
    await settled();
    duplicate.emit('message', 'news', `message ${i}`);
    duplicate.emit('message', 'other', 'of somebody else');
    duplicate.become('reconnecting');
  }
  expect(duplicate.channels).toEqual(['news', 'news']);
  expect(heard).toEqual(['subscribed', 'message 0', 'subscribed', 'message 1']);
});

test('a duplicate that has given up is replaced, and one that has ended is not closed again', async () => {
  const client = new FakeClient();
  const subscription = new IoRedisPort(client).subscribe('news', noNews);
  subscription.refresh();
  expect(client.duplicates).toHaveLength(1);
  client.duplicates[0]?.become('end');
  subscription.refresh();
  expect(client.duplicates).toHaveLength(2);
  client.duplicates[1]?.become('ready');
  subscription.refresh();
  await settled();
  expect(client.duplicates[1]?.channels).toEqual(['news', 'news']);
  subscription.close();
  expect(client.duplicates.map(({ disconnected }) => disconnected)).toEqual([0, 1]);
  client.duplicates[1]?.become('end');
  subscription.close();
  expect(client.duplicates.map(({ disconnected }) => disconnected)).toEqual([0, 1]);
});

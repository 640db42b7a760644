import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { type NodeRedisClient, NodeRedisPort } from '../../src/clients/node-redis.ts';

/** As much of a node-redis client as the store sees. */
class FakeClient extends EventEmitter implements NodeRedisClient {
  isOpen = true;
  isReady = true;
  readonly duplicates: FakeClient[] = [];
  readonly listeners_ = new Map<string, Set<(text: string) => void>>();
  destroyed = 0;
  failing = false;

  async connect(): Promise<void> {
    this.isOpen = true;
    if (this.failing) {
      this.isOpen = false;
      throw new Error('ECONNREFUSED');
    }
    this.isReady = true;
    this.emit('ready');
  }

  destroy(): void {
    if (!this.isOpen) throw new Error('The client is closed');
    this.isOpen = false;
    this.destroyed++;
  }

  duplicate(): FakeClient {
    const duplicate = new FakeClient();
    duplicate.isOpen = false;
    duplicate.failing = this.failing;
    this.duplicates.push(duplicate);
    return duplicate;
  }

  async evalSha(): Promise<void> {}
  async eval(): Promise<void> {}

  async subscribe(channel: string, listener: (text: string) => void): Promise<void> {
    if (!this.isOpen) throw new Error('The client is closed');
    const listeners = this.listeners_.get(channel) ?? new Set();
    this.listeners_.set(channel, listeners.add(listener));
  }

  async unsubscribe(channel: string, listener: (text: string) => void): Promise<void> {
    this.listeners_.get(channel)?.delete(listener);
  }

  publish(channel: string, text: string): void {
    for (const listener of this.listeners_.get(channel) ?? []) listener(text);
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

function listen(client: FakeClient) {
  const heard: string[] = [];
  const subscription = new NodeRedisPort(client).subscribe('news', {
    message: (text) => heard.push(text),
    subscribed: () => heard.push('subscribed'),
  });
  return { heard, subscription };
}

test('the port reports the state of the node-redis client', () => {
  const client = new FakeClient();
  const port = new NodeRedisPort(client);
  expect(port.state).toBe('ready');
  client.isReady = false;
  expect(port.state).toBe('offline');
  client.isOpen = false;
  expect(port.state).toBe('closed');
});

test('a client, a cluster and a sentinel are told apart by their methods', () => {
  const cluster = Object.assign(new FakeClient(), { nodeByAddress: new Map() });
  expect(new NodeRedisPort(cluster).cluster).toBe(true);
  expect(new NodeRedisPort(new FakeClient()).cluster).toBe(false);
});

describe('a single client', () => {
  test('a single client listens on a duplicate, which reports when messages may be missing', async () => {
    const client = new FakeClient();
    const { heard, subscription } = listen(client);
    await settled();
    const [duplicate] = client.duplicates as [FakeClient];
    duplicate.publish('news', 'one');
    duplicate.emit('error', new Error('read ECONNRESET'));
    duplicate.emit('ready');
    duplicate.publish('news', 'two');
    expect(heard.filter((text) => text !== 'subscribed')).toEqual(['one', 'two']);
    expect(heard.slice(-2)).toEqual(['subscribed', 'two']);
    expect(client.listeners_.size).toBe(0);
    subscription.close();
    subscription.close();
    expect(duplicate.destroyed).toBe(1);
  });

  test('a single client whose duplicate could not connect tries again', async () => {
    const client = new FakeClient();
    client.failing = true;
    const { heard, subscription } = listen(client);
    await settled();
    expect(heard).toEqual([]);
    const [duplicate] = client.duplicates as [FakeClient];
    duplicate.failing = false;
    subscription.refresh();
    await settled();
    duplicate.publish('news', 'one');
    expect(heard).toContain('one');
    subscription.close();
  });
});

describe('a cluster or a sentinel', () => {
  test.each([
    ['cluster', { nodeByAddress: new Map() }, 'node-ready'],
    ['sentinel', { getSentinelNode: () => {} }, 'topology-change'],
  ])('a %s listens by itself, once for any number of refreshes', async (_name, marks, event) => {
    const client = Object.assign(new FakeClient(), marks);
    const { heard, subscription } = listen(client);
    await settled();
    subscription.refresh();
    await settled();
    client.publish('news', 'one');
    client.emit(event);
    expect(heard).toEqual(['subscribed', 'one', 'subscribed']);
    expect(client.duplicates).toEqual([]);
    subscription.close();
    client.publish('news', 'two');
    client.emit(event);
    expect(heard).toHaveLength(3);
    expect(client.destroyed).toBe(0);
  });
});

import { expect, test } from '@jest/globals';
import { Runner } from '../src/runner.ts';
import { script } from '../src/script.ts';
import { FakePort } from './support/fake-port.ts';

const SCRIPT = script('return 1');

function runnerOn(port: FakePort, { timeout = 30, pending = 10 } = {}): Runner {
  return new Runner(port, timeout, pending);
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a script that Redis does not know is sent with its source', async () => {
  const port = new FakePort();
  const reply = runnerOn(port).run(SCRIPT, ['key'], [1, 'two']);
  port.sent[0]?.reject(new Error('NOSCRIPT No matching script.'));
  await settled();
  expect(port.sent.map(({ how, keys, args }) => [how, keys, args])).toEqual([
    ['evalsha', ['key'], ['1', 'two']],
    ['eval', ['key'], ['1', 'two']],
  ]);
  port.sent[1]?.resolve('answer');
  expect(await reply).toBe('answer');
});

test('any other error of a script rejects the call', async () => {
  const port = new FakePort();
  const reply = runnerOn(port).run(SCRIPT, ['key'], []);
  port.sent[0]?.reject(new Error('READONLY You cannot write against a read only replica.'));
  await expect(reply).rejects.toThrow('READONLY');
  expect(port.sent).toHaveLength(1);
});

test('a call without an answer rejects at the deadline, and a later answer goes to late()', async () => {
  const port = new FakePort();
  const late: unknown[] = [];
  const runner = runnerOn(port);
  const reply = runner.run(SCRIPT, ['key'], [], runner.deadline(), (value) => late.push(value));
  await expect(reply).rejects.toMatchObject({ name: 'RedisStoreError', code: 'timeout' });
  port.sent[0]?.resolve('late');
  await settled();
  expect(late).toEqual(['late']);
});

test('a client without a connection gets a command only once it is connected', async () => {
  const port = new FakePort();
  port.state = 'offline';
  const reply = runnerOn(port, { timeout: 5_000 }).run(SCRIPT, ['key'], []);
  await settled();
  expect(port.sent).toEqual([]);
  port.become('ready');
  await settled();
  port.sent[0]?.resolve('answer');
  expect(await reply).toBe('answer');
});

test('a command whose deadline passed while the client was offline is never sent', async () => {
  const port = new FakePort();
  port.state = 'offline';
  const replies = [1, 2, 3].map(() => runnerOn(port).run(SCRIPT, ['key'], []));
  const outcomes = await Promise.all(replies.map((reply) => reply.catch(({ code }) => code)));
  expect(outcomes).toEqual(['timeout', 'timeout', 'timeout']);
  port.become('ready');
  await settled();
  expect(port.sent).toEqual([]);
});

test('a call rejects at once if the client is closed or closes', async () => {
  const port = new FakePort();
  port.state = 'offline';
  const waiting = runnerOn(port, { timeout: 60_000 }).run(SCRIPT, ['key'], []);
  port.become('closed');
  await expect(waiting).rejects.toMatchObject({ code: 'closed' });
  await expect(runnerOn(port).run(SCRIPT, ['key'], [])).rejects.toMatchObject({ code: 'closed' });
});

test('calls beyond the bound of pending commands reject, on a Cluster per part', async () => {
  const port = new FakePort();
  const runner = runnerOn(port, { pending: 3 });
  const ask = (key: string) => runner.run(SCRIPT, [key], []).catch(({ code }) => code);
  expect(await Promise.all([1, 2, 3, 4].map(() => ask('key')))).toEqual([
    'timeout',
    'timeout',
    'timeout',
    'busy',
  ]);
  expect(await ask('key')).toBe('busy');
  port.sent[0]?.resolve('late');
  await settled();
  const answered = ask('key');
  port.sent.at(-1)?.resolve('answer');
  expect(await answered).toBe('answer');

  port.cluster = true;
  // Their hash slots are 12182 and 5061.
  await Promise.all(['foo', 'foo', 'foo'].map(ask));
  expect(await ask('foo')).toBe('busy');
  expect(await ask('bar')).toBe('timeout');
});

test('keys are grouped into one script, or on a Cluster one for each hash slot', () => {
  const port = new FakePort();
  const keys = ['a:{x}', 'b:{y}', 'c:{x}'];
  expect(runnerOn(port).groups(keys)).toEqual([[0, 1, 2]]);
  expect(runnerOn(port).groups([])).toEqual([]);
  port.cluster = true;
  expect(runnerOn(port).groups(keys)).toEqual([[0, 2], [1]]);
});

import { expect, test } from '@jest/globals';
import type { Revocation } from '@sallyport/core/store';
import { RevocationReader } from '../../src/news/revocation-reader.ts';
import { BATCH, isAfter, type Page, type RevocationStream } from '../../src/news/revocation-stream.ts';

const revoked = (subject: string): Revocation => ({ subject, issuedBefore: 1 });

/** A Redis with one stream, which can forget and fail. */
class FakeStream {
  generation = 'first';
  entries: { id: string; revocation: Revocation }[] = [];
  #count = 0;
  pages = 0;
  failing = false;

  push(revocation: Revocation): string {
    const id = `${++this.#count}-0`;
    this.entries.push({ id, revocation });
    return id;
  }

  forget(): void {
    this.entries = [];
    this.generation = `${this.generation}'`;
  }

  async read(after: string, newest: string): Promise<Page> {
    if (this.failing) throw new Error('away');
    this.pages++;
    return {
      generation: this.generation,
      remembered: newest === '' || this.entries.some(({ id }) => id === newest),
      entries: this.entries.filter(({ id }) => isAfter(id, after)).slice(0, BATCH),
    };
  }

  async restore(revocations: readonly Revocation[]): Promise<void> {
    if (this.failing) throw new Error('away');
    for (const revocation of revocations) this.push(revocation);
  }
}

function readerOf(stream: FakeStream, noticedWithin = 0) {
  const told: string[] = [];
  const audience = {
    known: [] as Revocation[],
    deaf: false,
    forgotten: 0,
  };
  const reader = new RevocationReader(
    stream as unknown as RevocationStream,
    {
      revoked(revocation) {
        if (audience.deaf) return false;
        told.push(revocation.subject ?? '');
        audience.known.push(revocation);
        return true;
      },
      known: () => audience.known,
      forgotten: () => {
        audience.forgotten++;
      },
    },
    noticedWithin,
  );
  return { reader, told, audience };
}

test('the whole stream is read in pages, and nothing is reported twice', async () => {
  const stream = new FakeStream();
  const { reader, told } = readerOf(stream);
  expect(reader.staleness()).toBe(Number.POSITIVE_INFINITY);
  for (let i = 0; i < 2 * BATCH + 1; i++) stream.push(revoked(`${i}`));
  await reader.read();
  expect(told).toHaveLength(2 * BATCH + 1);
  expect(stream.pages).toBe(3);
  stream.push(revoked('later'));
  await reader.read();
  expect(told).toHaveLength(2 * BATCH + 2);
  expect(reader.staleness()).toBeLessThan(1_000);
});

test('a published revocation is not reported again when it is read, in either order', async () => {
  const stream = new FakeStream();
  const { reader, told } = readerOf(stream);
  const first = stream.push(revoked('heard first'));
  reader.hear(first, revoked('heard first'));
  await reader.read();
  const second = stream.push(revoked('read first'));
  await reader.read();
  reader.hear(second, revoked('read first'));
  reader.hear(undefined, revoked('not stored'));
  await reader.read();
  expect(told).toEqual(['heard first', 'read first', 'not stored']);
});

test('a failed read changes neither the position nor the staleness', async () => {
  const stream = new FakeStream();
  const { reader, told } = readerOf(stream);
  stream.failing = true;
  await expect(reader.read()).rejects.toThrow('away');
  expect(reader.staleness()).toBe(Number.POSITIVE_INFINITY);
  stream.failing = false;
  stream.push(revoked('a'));
  await reader.read();
  expect(told).toEqual(['a']);
});

test('a Redis that has lost its data is given the revocations that others have not restored', async () => {
  const stream = new FakeStream();
  const { reader, audience } = readerOf(stream);
  for (const name of ['a', 'b', 'c']) stream.push(revoked(name));
  await reader.read();
  stream.forget();
  stream.push(revoked('b'));
  await reader.read();
  expect(audience.forgotten).toBe(1);
  expect(stream.entries.map(({ revocation }) => revocation.subject)).toEqual(['b', 'a', 'c']);
  await reader.read();
  expect(stream.entries).toHaveLength(3);
});

test('a failed restore is repeated', async () => {
  const stream = new FakeStream();
  const { reader } = readerOf(stream);
  stream.push(revoked('a'));
  await reader.read();
  stream.forget();
  const restore = stream.restore;
  stream.restore = async () => Promise.reject(new Error('away'));
  await expect(reader.read()).rejects.toThrow('away');
  stream.restore = restore;
  await reader.read();
  expect(stream.entries.map(({ revocation }) => revocation.subject)).toEqual(['a']);
});

test('a replica without the newest entries is given them again', async () => {
  const stream = new FakeStream();
  const { reader } = readerOf(stream);
  stream.push(revoked('replicated'));
  await reader.read();
  const lost = stream.push(revoked('not replicated'));
  reader.hear(lost, revoked('not replicated'));
  stream.entries.pop();
  stream.push(revoked('after the failover'));
  await reader.read();
  expect(stream.entries.map(({ revocation }) => revocation.subject)).toEqual([
    'replicated',
    'after the failover',
    'not replicated',
  ]);
});

test('after a loss of data the node is stale until the others had time to restore', async () => {
  const stream = new FakeStream();
  const noticedWithin = 150;
  const { reader } = readerOf(stream, noticedWithin);
  await reader.read();
  stream.forget();
  const noticed = performance.now();
  await reader.read();
  await reader.read();
  expect(reader.staleness()).toBeGreaterThan(0);
  const certain = noticed - reader.staleness();
  while (performance.now() < noticed + noticedWithin + 5) {
    expect(performance.now() - reader.staleness()).toBeLessThan(noticed + noticedWithin);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await reader.read();
  expect(performance.now() - reader.staleness()).toBeGreaterThanOrEqual(certain + noticedWithin);
});

test('a listener that threw hears of the revocation again, and the node is stale until then', async () => {
  const stream = new FakeStream();
  const { reader, told, audience } = readerOf(stream);
  audience.deaf = true;
  for (const name of ['a', 'b']) stream.push(revoked(name));
  await reader.read();
  expect([told, reader.staleness()]).toEqual([[], Number.POSITIVE_INFINITY]);
  audience.deaf = false;
  await reader.read();
  expect(told).toEqual(['a', 'b']);
  expect(reader.staleness()).toBeLessThan(1_000);
});

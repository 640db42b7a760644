import { describe, expect, test } from '@jest/globals';
import { Inbox } from '../../src/connection/inbox.ts';
import { settle } from '../support/late-auth.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { bareThenable } from '../support/thenable.ts';

/** An inbox whose messages are handled as long as the test wants. */
function make(limit: number) {
  const socket = new RecordingSocket();
  const begun: string[] = [];
  const failures: unknown[] = [];
  const waiting: { done: () => void; fail: (error: unknown) => void }[] = [];
  const owner = {
    // How a message is handled; replaced by tests that want something else.
    handle: (data: string): unknown => {
      begun.push(data);
      return new Promise<void>((done, fail) => waiting.push({ done, fail }));
    },
    failed: (error: unknown) => void failures.push(error),
  };
  const inbox = new Inbox(
    {
      handle: (data) => owner.handle(String(data)) as Promise<unknown>,
      failed: owner.failed,
      emptied: () => void begun.push('emptied'),
      pauseReading: () => socket.pause(),
      resumeReading: () => socket.resume(),
    },
    limit,
  );
  const put = (...names: string[]) => {
    for (const name of names) inbox.put(name, false);
  };
  const finish = async (times = 1) => {
    for (let i = 0; i < times; i++) {
      waiting.shift()?.done();
      await settle();
    }
  };
  return { inbox, socket, owner, begun, failures, waiting, put, finish };
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `m${i}`);

describe('the order of messages', () => {
  test('messages are handled one after the other, however long each takes', async () => {
    const { put, finish, begun } = make(10);
    put('a', 'b', 'c');
    expect(begun).toEqual(['a']);
    await finish();
    expect(begun).toEqual(['a', 'b']);
    put('d');
    await finish(2);
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
  });

  test('a message with a synchronous handler is handled at once', () => {
    const { inbox, owner, begun, put } = make(1);
    owner.handle = (data) => void begun.push(data);
    put('a', 'b', 'c');
    expect(begun).toEqual(['a', 'b', 'c']);
    expect(inbox.limit).toBe(1);
  });

  test('messages behind an asynchronous one are handled as soon as that is done', async () => {
    const { owner, begun, put, finish } = make(10);
    const late = owner.handle;
    owner.handle = (data) => (data === 'slow' ? late(data) : void begun.push(data));
    put('a', 'slow', 'b', 'c', 'slow', 'd');
    expect(begun).toEqual(['a', 'slow']);
    await finish();
    expect(begun).toEqual(['a', 'slow', 'b', 'c', 'slow']);
    await finish();
    expect(begun.at(-1)).toBe('d');
  });

  test('a handler that returns a thenable is awaited', async () => {
    const { owner, begun, put } = make(10);
    owner.handle = (data) => {
      begun.push(data);
      return bareThenable(undefined);
    };
    put('a', 'b');
    expect(begun).toEqual(['a']);
    await settle();
    expect(begun).toEqual(['a', 'b']);
  });
});

describe('failing handlers', () => {
  test('an error of a handler is reported, and the next message is handled', async () => {
    const { owner, begun, failures, put, waiting } = make(10);
    const late = owner.handle;
    owner.handle = (data) => {
      if (data === 'throws') throw new Error('thrown');
      return late(data);
    };
    put('throws', 'a', 'throws', 'b');
    waiting.shift()?.fail(new Error('rejected'));
    await settle();
    expect(begun).toEqual(['a', 'b']);
    expect(failures.map((error) => (error as Error).message)).toEqual(['thrown', 'rejected', 'thrown']);
  });
});

describe('a full inbox', () => {
  test.each([1, 2, 5])(
    'at a limit of %i the socket is paused once, and no message is lost',
    async (limit) => {
      const { put, finish, begun, socket } = make(limit);
      put(...names(limit));
      expect(socket.calls).toEqual([]);
      put('last');
      expect(socket.calls).toEqual(['pause']);
      // What was in the chunk that is being read still comes.
      put(...names(100));
      expect(socket.calls).toEqual(['pause']);
      await finish(200);
      expect(begun).toEqual([...names(limit), 'last', ...names(100)]);
      expect(socket.calls).toEqual(['pause', 'resume']);
    },
  );

  test('a paused socket is read again only once there is room', async () => {
    const { put, finish, socket } = make(3);
    put(...names(8));
    // One is being handled, seven wait; two may.
    await finish(4);
    expect(socket.calls).toEqual(['pause']);
    await finish();
    expect(socket.calls).toEqual(['pause', 'resume']);
  });

  test('the socket is paused again each time the inbox is full', async () => {
    const { put, finish, socket } = make(1);
    for (let i = 0; i < 3; i++) {
      put('a', 'b');
      await finish(2);
    }
    expect(socket.calls).toEqual(['pause', 'resume', 'pause', 'resume', 'pause', 'resume']);
  });

  test('after the pause only messages that were already read are added', async () => {
    const { inbox, put, finish, socket } = make(4);
    let waiting = 0;
    let most = 0;
    // A sender that sends in chunks of ten, as long as it is read.
    for (let sent = 0; sent < 500; ) {
      if (socket.calls.at(-1) === 'pause') {
        await finish();
        waiting--;
        continue;
      }
      for (let i = 0; i < 10; i++, sent++, waiting++) put('x');
      most = Math.max(most, waiting);
    }
    expect(inbox.limit).toBe(4);
    expect(most).toBeLessThanOrEqual(4 + 10);
  });
});

describe('an inbox that reports', () => {
  test('the owner is told after the last message, and only when it has asked for that', async () => {
    const { inbox, put, finish, begun } = make(5);
    put('a');
    await finish();
    put('b', 'c');
    inbox.reportEmpty();
    await finish();
    expect(begun).toEqual(['a', 'b', 'c']);
    await finish();
    expect(begun).toEqual(['a', 'b', 'c', 'emptied']);
  });

  test('the owner is told after a synchronous message', () => {
    const { inbox, owner, put, begun } = make(5);
    owner.handle = (data) => void begun.push(data);
    inbox.reportEmpty();
    put('a', 'b');
    expect(begun).toEqual(['a', 'emptied', 'b', 'emptied']);
  });

  test('messages that are given up reach no handler, and the socket is read again', async () => {
    const { inbox, put, finish, begun, socket } = make(2);
    const refused: unknown[] = [];
    put('a', 'b', 'c');
    inbox.giveUp(({ data }) => refused.push(data));
    await finish();
    expect([begun, refused, socket.calls]).toEqual([['a'], ['b', 'c'], ['pause', 'resume']]);
  });
});

describe('a closed inbox', () => {
  test('after close no waiting message is handled, and the socket is read for the closing handshake', async () => {
    const { inbox, put, finish, begun, socket } = make(1);
    put('a', 'b', 'c');
    inbox.close();
    await finish(3);
    expect([begun, socket.calls]).toEqual([['a'], ['pause', 'resume']]);
  });

  test('close does not resume a socket that was not paused', () => {
    const { inbox, put, socket } = make(5);
    put('a');
    inbox.close();
    inbox.close();
    expect(socket.calls).toEqual([]);
  });
});

// H15: an upgrade that is sent before an earlier request of its connection is answered. Its 101 would overtake that answer, or the
// answer would be written into the WebSocket. It is refused behind the answer, of which nothing is lost.
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { handshakeBytes } from '../support/wire.ts';

const SLOW = 'GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n';

describe.each(hosts)('$name', (host) => {
  const { start, dial } = applications();

  /** The application, whose `/slow` a test answers, and the details of denied handshakes. */
  const serve = async () => {
    const guard = chatGuard();
    const denied: string[] = [];
    guard.on('handshake.denied', ({ reason, detail }) => denied.push(`${reason}: ${detail}`));
    const app = await start(host, { guard });
    const slow: ServerResponse[] = [];
    const answering = app.server.listeners('request');
    app.server.removeAllListeners('request');
    app.server.on('request', (request, response) => {
      if (request.url === '/slow') slow.push(response);
      else for (const listener of answering) listener.call(app.server, request, response);
    });
    return { app, guard, denied, slow };
  };

  test('behind a slow answer it is refused with 400 once that answer is written whole', async () => {
    const { app, denied, slow } = await serve();
    const wire = await dial(app);
    wire.send(SLOW + handshakeBytes({ headers: await goodHeaders() }));
    await eventually(() => denied.length === 1, 'the denial');
    expect(denied).toEqual(['request_malformed: an earlier request of this connection has no answer yet']);
    slow[0]?.write('the first half, ');
    await wire.until((bytes) => bytes.includes('the first half'), 'the first half');
    slow[0]?.end('the second half');
    const { raw } = await wire.answer();
    expect(raw.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
    expect(raw.indexOf('the second half')).toBeLessThan(raw.indexOf('HTTP/1.1 400'));
    expect(app.handled).toEqual([]);
  });

  test('behind two slow answers it is refused after both, in their order', async () => {
    const { app, denied, slow } = await serve();
    const wire = await dial(app);
    wire.send(SLOW + SLOW + handshakeBytes({ headers: await goodHeaders() }));
    await eventually(() => denied.length === 1 && slow.length === 2, 'the denial');
    slow[1]?.end('second');
    slow[0]?.end('first');
    const { raw } = await wire.answer();
    expect(raw.match(/HTTP\/1\.1 \d+|first|second/g)).toEqual([
      'HTTP/1.1 200',
      'first',
      'HTTP/1.1 200',
      'second',
      'HTTP/1.1 400',
    ]);
  });

  test('a large answer before it, which waits for the client to read, arrives whole', async () => {
    const { app, denied, slow } = await serve();
    const wire = await dial(app);
    wire.socket.pause();
    wire.send(SLOW + handshakeBytes({ headers: await goodHeaders() }));
    await eventually(() => denied.length === 1, 'the denial');
    const size = 16 * 1024 * 1024;
    const response = slow[0] as ServerResponse;
    response.setHeader('Content-Length', size);
    const chunk = Buffer.alloc(64 * 1024, 'x');
    Readable.from(Array(size / chunk.length).fill(chunk)).pipe(response);
    await eventually(() => response.writableNeedDrain, 'a full buffer');
    wire.socket.resume();
    const { raw } = await wire.answer();
    const body = raw.split('\r\n\r\n')[1] as string;
    expect(body.slice(size)).toMatch(/^HTTP\/1\.1 400/);
    // Compared as bytes: a regular expression over a text of this size exhausts the stack of some versions of Node.
    expect(Buffer.from(body.slice(0, size)).equals(Buffer.alloc(size, 'x'))).toBe(true);
  }, 30_000);

  test('behind an answer that closes the connection, and behind one that never comes, the socket ends', async () => {
    const { app, guard, denied, slow } = await serve();
    const closing = await dial(app);
    closing.send(SLOW + handshakeBytes({ headers: await goodHeaders() }));
    await eventually(() => slow.length === 1, 'the request');
    slow[0]?.setHeader('Connection', 'close').end('the last one');
    expect((await closing.answer()).raw.match(/HTTP\/1\.1 \d+|the last one/g)).toEqual([
      'HTTP/1.1 200',
      'the last one',
    ]);
    const leaving = await dial(app);
    leaving.send(SLOW + handshakeBytes({ headers: await goodHeaders() }));
    await eventually(() => denied.length === 2, 'the denial');
    leaving.reset();
    await eventually(() => slow[1]?.destroyed === true, 'the end of the socket');
    expect(guard.stats()).toMatchObject({ connections: 0, pending: 0 });
  });

  test('after an answer that is complete, the same connection is upgraded', async () => {
    const { app, slow } = await serve();
    const wire = await dial(app);
    wire.send(SLOW);
    await eventually(() => slow.length === 1, 'the request');
    slow[0]?.end('done');
    await wire.until((bytes) => bytes.includes('done'), 'the answer');
    wire.handshake({ headers: await goodHeaders() });
    await wire.until((bytes) => bytes.includes('HTTP/1.1 101'), 'the 101');
  });
});

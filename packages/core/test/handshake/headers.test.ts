import { describe, expect, test } from '@jest/globals';
import { readHeaders } from '../../src/handshake/headers.ts';

test('header names are read in any letter case, and values are unchanged', () => {
  expect(readHeaders(['HOST', 'A.example', 'oRiGiN', 'https://A.example', 'COOKIE', 'a=B'])).toMatchObject({
    host: 'A.example',
    origin: 'https://A.example',
    cookie: 'a=B',
    count: 3,
    proxied: false,
  });
});

describe('repeated headers', () => {
  test.each([
    'Host',
    'Origin',
    'Authorization',
    'Upgrade',
    'Content-Length',
    'Transfer-Encoding',
    'Sec-WebSocket-Key',
    'Sec-WebSocket-Version',
    'Sec-WebSocket-Origin',
    'Sec-WebSocket-Anything',
  ])('a header %s that occurs twice is reported as repeated', (name) => {
    expect(readHeaders([name, 'a', 'Accept', '*/*', name.toUpperCase(), 'a']).repeated).toBe(
      name.toLowerCase(),
    );
    expect(readHeaders([name, 'a', 'Accept', '*/*']).repeated).toBeUndefined();
  });

  test('headers that are lists, and headers that the guard does not read, may be repeated', () => {
    const read = readHeaders([
      'Connection',
      'keep-alive',
      'Accept',
      'a',
      'Accept',
      'b',
      'Connection',
      'upgrade',
    ]);
    expect(read).toMatchObject({ connection: 'keep-alive, upgrade', count: 4 });
    expect(read.repeated).toBeUndefined();
  });
});

test.each([
  ['Via', true],
  ['Forwarded', true],
  ['X-Forwarded-For', true],
  ['X-Forwarded-Host', true],
  ['x-forwarded-anything', true],
  ['X-Forward', false],
  ['Viable', false],
])('header %s marks the request as proxied: %s', (name, proxied) => {
  expect(readHeaders([name, 'x']).proxied).toBe(proxied);
});

test('the bytes of headers are counted as sent: name, colon, space, value, line end', () => {
  expect(readHeaders(['Host', 'localhost']).bytes).toBe('Host: localhost\r\n'.length);
});

test('a raw list of odd length is read without its last name', () => {
  expect(readHeaders(['Host', 'a', 'Origin'])).toMatchObject({ host: 'a' });
  expect(readHeaders(['Host', 'a', 'Origin']).origin).toBeUndefined();
});

test('thousands of distinct Sec-WebSocket headers are read in one pass', () => {
  const raw = Array.from({ length: 50_000 }, (_, i) => [`Sec-WebSocket-${i}`, '']).flat();
  const started = performance.now();
  expect(readHeaders(raw)).toMatchObject({ count: 50_000 });
  // A pass for each header took minutes.
  expect(performance.now() - started).toBeLessThan(2_000);
});

test('headers beyond the bound are counted but not read', () => {
  const raw = ['Host', 'a.example', 'Accept', '*/*', 'Origin', 'https://a.example'];
  expect(readHeaders(raw, 2)).toMatchObject({ host: 'a.example', count: 3 });
  expect(readHeaders(raw, 2).origin).toBeUndefined();
  expect(readHeaders(raw, 3).origin).toBe('https://a.example');
});

test('list headers on several lines are joined into one list', () => {
  const raw = [
    'Cookie',
    'a=1',
    'cookie',
    'b=2',
    'Sec-WebSocket-Protocol',
    'a',
    'Sec-WebSocket-Protocol',
    'b, c',
  ];
  expect(readHeaders(raw)).toMatchObject({ cookie: 'a=1; b=2', subprotocols: 'a, b, c' });
  expect(readHeaders(raw).repeated).toBeUndefined();
});

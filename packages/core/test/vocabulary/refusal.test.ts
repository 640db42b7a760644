import { describe, expect, test } from '@jest/globals';
import { type Reason, reasons } from '@sallyport/core';
import { deny, refusalOf } from '@sallyport/core/host';

const NAMES = Object.keys(reasons) as Reason[];

test("a refusal's body holds the reason and its public text only", () => {
  const refusal = refusalOf(deny('origin_denied', 'internal detail: 10.0.0.7'));
  expect(refusal.status).toBe(403);
  expect(JSON.parse(refusal.body)).toEqual({
    error: 'origin_denied',
    message: 'This origin may not connect.',
  });
  expect(JSON.stringify(refusal)).not.toContain('detail');
});

describe('every refusal', () => {
  test.each(NAMES)('the refusal for %s closes the connection, is not cached, and has a length', (reason) => {
    const { status, headers, body } = refusalOf(deny(reason, ''));
    expect(status).toBe((reasons[reason] as { http?: number }).http ?? 500);
    expect(headers.Connection).toMatch(/^close/);
    expect(headers['Content-Length']).toBe(String(Buffer.byteLength(body)));
    expect(headers).toMatchObject({ 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  });

  test.each(NAMES)(
    'reason %s has a text that fits a close frame and a close code that may be sent',
    (reason) => {
      const { text, close } = reasons[reason];
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(123);
      // 1006 is what a terminated connection is said to have ended with.
      const may = reason === 'unresponsive' ? /^1006$/ : /^(100[1389]|101[13]|44\d\d)$/;
      if (close !== undefined) expect(String(close)).toMatch(may);
    },
  );
});

test('401 has a challenge, 426 the version, and 429 and 503 a Retry-After', () => {
  expect(refusalOf(deny('credential_missing', '')).headers['WWW-Authenticate']).toBe('Bearer');
  expect(refusalOf(deny('credential_invalid', '')).headers['WWW-Authenticate']).toBe(
    'Bearer error="invalid_token"',
  );
  expect(refusalOf(deny('version_unsupported', '')).headers).toMatchObject({
    'Sec-WebSocket-Version': '13',
    Upgrade: 'websocket',
    Connection: 'close, Upgrade',
  });
  expect(refusalOf(deny('handshake_rate', '', 1_200)).headers['Retry-After']).toBe('2');
  expect(refusalOf(deny('capacity', '', 0)).headers['Retry-After']).toBe('1');
  expect(refusalOf(deny('origin_denied', '', 5_000)).headers).not.toHaveProperty('Retry-After');
});

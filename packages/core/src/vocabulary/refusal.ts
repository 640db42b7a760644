import type { Denial } from './decision.ts';
import { reasons } from './reasons.ts';

/** A denial as an HTTP response, the same on every host. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * The response to a refused handshake, with its reason and public text and nothing more; `message` replaces the text where
 * the client can be told what to mend. It always closes the connection. It has `Retry-After` if waiting helps, and what RFC 9110 §15.5.2 and RFC 6455 §4.4 demand for 401 and
 * 426.
 */
export function refusalOf(denial: Denial, message: string = reasons[denial.reason].text): Refusal {
  const { http = 500, retry } = reasons[denial.reason];
  const body = JSON.stringify({ error: denial.reason, message });
  return {
    status: http,
    headers: {
      Connection: http === 426 ? 'close, Upgrade' : 'close',
      'Content-Type': 'application/json',
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      ...(http === 401 && {
        'WWW-Authenticate':
          denial.reason === 'credential_missing' ? 'Bearer' : 'Bearer error="invalid_token"',
      }),
      ...(http === 426 && { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }),
      ...((retry === 'later' || retry === 'yes') && {
        'Retry-After': String(Math.max(1, Math.ceil((denial.retryAfter ?? 1_000) / 1_000))),
      }),
    },
    body,
  };
}

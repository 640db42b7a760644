import type { ServerResponse } from 'node:http';

/** An HTTP response that any host can send. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export function json(status: number, value: object, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    },
    body: JSON.stringify(value),
  };
}

/** An error response in the form of the guard's refusals: a stable code, and a text for people. */
export function problem(status: number, error: string, message: string): Answer {
  return json(status, { error, message });
}

export const notFound: Answer = problem(404, 'not_found', 'There is nothing here.');

/** The response to an error of a host's body parser, or to any other error (500). */
export function bodyProblem(fault: unknown): Answer {
  const status = (fault as { statusCode?: unknown } | null)?.statusCode;
  if (status === 413) return problem(413, 'body_too_big', 'The body is too big.');
  if (typeof status === 'number' && status >= 400 && status < 500)
    return problem(400, 'body_invalid', 'The body is not valid JSON.');
  return problem(500, 'internal', 'Something went wrong.');
}

export function sendAnswer(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers).end(body);
}

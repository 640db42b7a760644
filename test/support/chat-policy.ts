import {
  type AnyGuard,
  bearer,
  cookie,
  createGuard,
  type Identity,
  jwt,
  type PolicyOptions,
  query,
  subprotocol,
  Type,
} from '@sallyport/core';
import { type JWTPayload, SignJWT } from 'jose';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';

/** The origin of the application's page. */
export const APP = 'https://app.example.com';
export const SECRET = 'a shared secret of the tests, at least 32 bytes';
/** The fixed time of the tests, in seconds: tokens are made and verified at this time. */
export const NOW = Date.UTC(2030, 0, 1) / 1_000;

type AnyPolicy = PolicyOptions<readonly Identity[], unknown, unknown>;
export type PolicyOverrides = Partial<AnyPolicy>;

/** The messages of the chat. */
export const messages = {
  say: Type.Object({ text: Type.String({ maxLength: 500 }) }),
  note: Type.Object({ text: Type.String() }),
};

/** A token that the chat's policy accepts, with the given claims or header replaced. */
export function token(
  claims: JWTPayload = {},
  { alg = 'HS256', secret = SECRET, header = {} }: { alg?: string; secret?: string; header?: object } = {},
): Promise<string> {
  return new SignJWT({
    sub: 'alice',
    iss: 'https://id.example.com',
    aud: 'chat',
    iat: NOW,
    exp: NOW + 300,
    ...claims,
  })
    .setProtectedHeader({ alg, ...header })
    .sign(new TextEncoder().encode(secret));
}

export const chatJwt = (from = [bearer(), cookie('token'), subprotocol(), query('token')]) =>
  jwt({
    from,
    secret: SECRET,
    algorithms: ['HS256'],
    issuer: 'https://id.example.com',
    audience: 'chat',
  });

/** A guard of the chat's policy with some options replaced, and a clock that only a test moves. */
function chatPolicy(overrides: PolicyOverrides = {}): AnyPolicy {
  return {
    origins: [APP],
    hosts: ['localhost'],
    auth: [chatJwt()],
    messages: messages as never,
    logger: false,
    clock: new ManualClock(),
    ...overrides,
    // No peer can answer a ping while a test moves the clock in one step.
    limits: { handshakes: { rate: '1000/s', burst: 1_000 }, heartbeat: false, ...overrides.limits },
  };
}

export function chatGuard(overrides: PolicyOverrides = {}): AnyGuard {
  return createGuard(chatPolicy(overrides) as never);
}

/** Headers with which the chat's policy admits a handshake. */
export async function goodHeaders(subject = 'alice'): Promise<Record<string, string>> {
  return { Authorization: `Bearer ${await token({ sub: subject })}`, Origin: APP };
}

// A1: a token cannot bring a key, name a place to fetch one from, or choose an algorithm or a file (RFC 8725 §3.1, §3.10).
// Keys are fetched from the configured URL only.
import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer, jwt } from '@sallyport/core';
import { exportJWK } from 'jose';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { chatGuard, NOW } from '../support/chat-policy.ts';
import { Issuer } from '../support/issuer.ts';

const claims = { sub: 'alice', iat: NOW, exp: NOW + 300 };
const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const attacker = generateKeyPairSync('ec', { namedCurve: 'P-256' });

let issuer: Issuer;
let stranger: Issuer;
/** A server that must never be asked for a key. */
let trap: Server;
let trapped: number;

beforeAll(async () => {
  issuer = await Issuer.start();
  stranger = await Issuer.start();
  trapped = 0;
  trap = createServer((_request, response) => {
    trapped++;
    response.end('{}');
  });
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  trap.close();
  await Promise.all([issuer.stop(), stranger.stop()]);
});

const trapUrl = (): string => `http://127.0.0.1:${(trap.address() as AddressInfo).port}/`;
const publicJwk = () => exportJWK(attacker.publicKey);

/** The issuer's public key in every form that a server might take for a secret. */
async function publicForms(): Promise<(string | Buffer)[]> {
  const set = (await (await fetch(issuer.jwks)).json()) as { keys: object[] };
  const key = createPublicKey({ key: set.keys[0] as never, format: 'jwk' });
  return [
    key.export({ type: 'spki', format: 'pem' }),
    key.export({ type: 'spki', format: 'der' }),
    key.export({ type: 'spki', format: 'pem' }).toString().trim(),
    JSON.stringify(set.keys[0]),
    JSON.stringify(set),
  ] as (string | Buffer)[];
}

const hmac = (secret: string | Buffer, header: object): string => {
  const input = `${encode(header)}.${encode({ iss: issuer.name, aud: 'chat', ...claims })}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
};

const INVALID = '401 credential_invalid';
/** The guard may not ask yet whether the issuer has a new key of this name. */
const UNKNOWN = '503 auth_unavailable';
const forged: readonly (readonly [string, () => Promise<string[]>, string?])[] = [
  [
    'alg none, in four spellings, with and without a signature',
    async () =>
      ['none', 'None', 'NONE', 'nOnE'].flatMap((alg) => {
        const input = `${encode({ alg })}.${encode({ iss: issuer.name, aud: 'chat', ...claims })}`;
        return [`${input}.`, `${input}.AA`];
      }),
  ],
  [
    'an HMAC with the public key as the secret',
    async () => (await publicForms()).map((form) => hmac(form, { alg: 'HS256', kid: 'key-1' })),
  ],
  ['a key in the header', async () => [await stranger.token(claims, { jwk: await publicJwk() })]],
  ['the URL of a key set in the header', async () => [await stranger.token(claims, { jku: trapUrl() })]],
  [
    'the URL of a certificate in the header',
    async () => [await stranger.token(claims, { x5u: trapUrl(), x5c: ['AAAA'] })],
  ],
  [
    'a key id that is a path, a URL, a query, or no text',
    async () =>
      Promise.all(
        ['../../dev/null', '/dev/null', trapUrl(), "x' OR '1'='1", '', '__proto__'].map((kid) =>
          stranger.token(claims, { kid }),
        ),
      ),
    UNKNOWN,
  ],
  ["another issuer's key under a published id", async () => [await stranger.token(claims, { kid: 'key-1' })]],
  ['an HMAC with an empty secret', async () => [hmac('', { alg: 'HS256', kid: '../../dev/null' })]],
];

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();
  const serve = async () => {
    const auth = jwt({
      from: [bearer()],
      jwks: issuer.jwks,
      algorithms: ['ES256'],
      issuer: issuer.name,
      audience: 'chat',
    });
    const limits = { authFailures: { rate: '1000/s', burst: 1_000 } } as const;
    return start(host, { guard: chatGuard({ auth: [auth] as never, limits }) });
  };

  test.each(forged)(
    'a token with %s is refused, and no other key is fetched',
    async (_what, make, expected = INVALID) => {
      const app = await serve();
      // The keys have been fetched when the forged tokens come.
      await open(app, { headers: { Authorization: `Bearer ${await issuer.token(claims)}` } });
      for (const text of await make()) {
        const answer = await refused(app, { headers: { Authorization: `Bearer ${text}` } });
        expect([text, verdict(answer)]).toEqual([text, expected]);
      }
      expect([app.handled.length, trapped]).toEqual([1, 0]);
    },
  );

  test("the issuer's own token with jku and x5u headers is admitted, and these URLs are not fetched", async () => {
    const app = await serve();
    const text = await issuer.token(claims, { jku: trapUrl(), x5u: trapUrl() });
    await open(app, { headers: { Authorization: `Bearer ${text}` } });
    expect(trapped).toBe(0);
  });
});

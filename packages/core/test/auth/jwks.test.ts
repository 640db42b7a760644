import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { bearer } from '../../src/auth/credential-source.ts';
import { jwt } from '../../src/auth/jwt.ts';
import { Denial } from '../../src/vocabulary/decision.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { present } from '../support/present.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const clock = new ManualClock();

// A real HTTP server that counts requests.
let issuer: Server;
let fetches: number;
let answer: { status: number; body: string; location?: string };

const published = (kid: string) =>
  JSON.stringify({ keys: [{ ...pair.publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }] });

let run = 0;
beforeEach(async () => {
  run++;
  fetches = 0;
  answer = { status: 200, body: published('k1') };
  issuer = createServer((_, response) => {
    fetches++;
    const { status, body, location } = answer;
    response
      .writeHead(status, { 'content-type': 'application/json', ...(location && { location }) })
      .end(body);
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
});

afterEach(() => close());

function close(): Promise<void> {
  issuer.closeAllConnections();
  return new Promise((resolve) => issuer.close(() => resolve()));
}

function authenticator() {
  const { port } = issuer.address() as AddressInfo;
  return jwt({
    from: [bearer()],
    // Keys and failures are kept by URL, and the next issuer may get the same port.
    jwks: `http://127.0.0.1:${port}/${run}/jwks.json`,
    algorithms: ['ES256'],
    issuer: 'https://id.example.com',
    audience: 'chat',
  });
}

function sign(kid: string | undefined, key: KeyObject = pair.privateKey): Promise<string> {
  return new SignJWT({
    sub: 'alice',
    iss: 'https://id.example.com',
    aud: 'chat',
    exp: clock.now() / 1_000 + 60,
  })
    .setProtectedHeader({ alg: 'ES256', ...(kid !== undefined && { kid }) })
    .sign(key);
}

async function judge(asked: ReturnType<typeof authenticator>, token: string): Promise<string> {
  const outcome = await present(asked, token, clock);
  return outcome instanceof Denial ? outcome.reason : (outcome?.subject ?? 'nobody');
}

test('simultaneous tokens share one fetch of the keys', async () => {
  const asked = authenticator();
  const token = await sign('k1');
  expect(new Set(await Promise.all(Array.from({ length: 20 }, () => judge(asked, token))))).toEqual(
    new Set(['alice']),
  );
  expect(await judge(asked, token)).toBe('alice');
  expect(fetches).toBe(1);
});

test('a flood of unknown key ids costs one fetch, and each token is denied', async () => {
  const asked = authenticator();
  for (let i = 0; i < 20; i++) {
    expect(await judge(asked, await sign(`made up ${i}`, stranger.privateKey))).toBe(
      i === 0 ? 'credential_invalid' : 'auth_unavailable',
    );
  }
  expect(fetches).toBe(1);
  expect(await judge(asked, await sign('k1'))).toBe('alice');
});

test('a token signed with another key under a published key id is denied', async () => {
  expect(await judge(authenticator(), await sign('k1', stranger.privateKey))).toBe('credential_invalid');
});

test('a token that is denied before its signature is verified causes no fetch', async () => {
  const asked = authenticator();
  const other = new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg: 'HS256' });
  expect(await judge(asked, await other.sign(Buffer.alloc(32)))).toBe('credential_invalid');
  expect(await judge(asked, 'not a token')).toBe('credential_invalid');
  expect(fetches).toBe(0);
});

const failures: [string, typeof answer | 'down'][] = [
  ['is down', 'down'],
  ['answers with an error', { status: 500, body: '{}' }],
  ['answers with something else', { status: 200, body: '<html>' }],
  ['answers with JSON that is no key set', { status: 200, body: '{"keys":"none"}' }],
  ['sends the fetch elsewhere', { status: 302, body: '', location: 'http://127.0.0.1:9/' }],
];
test.each(failures)(
  'an issuer that %s denies with auth_unavailable and not credential_invalid',
  async (_, failure) => {
    const asked = authenticator();
    if (failure === 'down') await close();
    else answer = failure;
    expect(await judge(asked, await sign('k1'))).toBe('auth_unavailable');
  },
);

test('an issuer that works again is asked once the cool-down is over', async () => {
  const asked = authenticator();
  answer = { status: 503, body: '' };
  expect(await judge(asked, await sign('k1'))).toBe('auth_unavailable');
  answer = { status: 200, body: published('k1') };
  expect(await judge(asked, await sign('k1'))).toBe('auth_unavailable');
  expect(fetches).toBe(1);
  clock.advance(5_000);
  expect(await judge(asked, await sign('k1'))).toBe('alice');
});

test('a flood of tokens while the issuer is down costs one fetch', async () => {
  const asked = authenticator();
  answer = { status: 503, body: '' };
  const tokens = await Promise.all(Array.from({ length: 50 }, (_, i) => sign(`k${i}`)));
  const outcomes = await Promise.all(tokens.map((token) => judge(asked, token)));
  for (const token of tokens) outcomes.push(await judge(asked, token));
  expect(new Set(outcomes)).toEqual(new Set(['auth_unavailable']));
  expect(fetches).toBe(1);
});

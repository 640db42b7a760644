// A1, A6: only the canonical spelling of a token is accepted, also once the token is remembered. An ECDSA signature has a second
// valid form, which cannot be refused; a revocation covers both.
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { bearer, jwt } from '@sallyport/core';
import { SignJWT } from 'jose';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { APP, chatGuard, NOW } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ISSUER = 'https://id.example.com';
const make = (claims: object = {}): Promise<string> =>
  new SignJWT({ sub: 'alice', iss: ISSUER, aud: 'chat', iat: NOW, exp: NOW + 300, ...claims })
    .setProtectedHeader({ alg: 'ES256' })
    .sign(privateKey);
const auth = () =>
  jwt({ from: [bearer()], publicKey, algorithms: ['ES256'], issuer: ISSUER, audience: 'chat' });

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** (r, n − s), which verifies as well as (r, s). */
function otherForm(token: string): string {
  const [header, body, signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  const twin = Buffer.from((ORDER - s).toString(16).padStart(64, '0'), 'hex');
  return `${header}.${body}.${Buffer.concat([bytes.subarray(0, 32), twin]).toString('base64url')}`;
}

/** Another text of the same bytes: its last character has bits that decoders ignore. */
function strayBits(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.slice(-1)) | 1];
}

const spellings: readonly (readonly [string, (token: string) => string])[] = [
  ['padding', (token) => `${token}=`],
  ['twice the padding', (token) => `${token}==`],
  ['padding inside', (token) => token.replace('.', '=.')],
  ['altered trailing bits', strayBits],
  ['white space at the end of a part', (token) => token.replace('.', ' .')],
  ['a tab', (token) => token.replace('.', '.\t')],
  ['the alphabet of base64', (token) => `${token.slice(0, -4)}+/AA`],
  ['a fourth part', (token) => `${token}.`],
  ['a dot in front', (token) => `.${token}`],
];

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();
  const withToken = (text: string) => ({ headers: { Authorization: `Bearer ${text}`, Origin: APP } });

  test.each(spellings)(
    'a token respelled with %s gets 401, before and after the token itself is admitted',
    async (_what, respell) => {
      const app = await start(host, { guard: chatGuard({ auth: [auth()] as never }) });
      const right = await make();
      const wrong = respell(right);
      expect(wrong).not.toBe(right);
      expect(verdict(await refused(app, withToken(wrong)))).toBe('401 credential_invalid');
      // Also when the right spelling is remembered as verified.
      await open(app, withToken(right));
      expect(verdict(await refused(app, withToken(wrong)))).toBe('401 credential_invalid');
    },
  );

  test.each<[string, object, object]>([
    ['its token id', { jti: 't1' }, { tokenId: 't1' }],
    ['its session', { sid: 's1' }, { session: 's1' }],
    ['its subject', {}, { subject: 'alice' }],
  ])(
    'after a revocation by %s, both forms of the signature get 401 and their connections close',
    async (_what, claims, revocation) => {
      const guard = chatGuard({ auth: [auth()] as never });
      const app = await start(host, { guard });
      const right = await make(claims);
      const twin = otherForm(right);
      expect(twin).not.toBe(right);
      // Both forms are valid, and both are remembered.
      const wires = [await open(app, withToken(right)), await open(app, withToken(twin))];
      await guard.revoke(revocation);
      expect(await Promise.all(wires.map((wire) => wire.closeCode()))).toEqual([4401, 4401]);
      for (const wire of wires) wire.destroy();
      await eventually(() => guard.stats().connections === 0, 'the end of both');
      for (const text of [right, twin])
        expect(verdict(await refused(app, withToken(text)))).toBe('401 revoked');
    },
  );
});

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { selfSigned } from '../../../../test/support/certificate.ts';
import { type Behaviour, Issuer } from '../../../../test/support/issuer.ts';
import { fetchKeySet } from '../../src/auth/key-fetch.ts';

const root = join(import.meta.dirname, '..', '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-keys-'));
const authority = join(folder, 'authority.pem');
let tls: { key: string; cert: string };
beforeAll(async () => {
  tls = await selfSigned('localhost');
  writeFileSync(authority, tls.cert);
});
afterAll(() => rmSync(folder, { recursive: true }));

let issuer: Issuer;
afterEach(() => issuer.stop());

describe.each(['http', 'https'] as const)('an issuer behind %s', (scheme) => {
  /** What a process with a connection that is kept alive, which trusts the issuer's certificate, says about a token. */
  const verified = async (behaviour: Behaviour): Promise<string> => {
    issuer = await Issuer.start('https://id.example.com', scheme === 'https' ? tls : undefined);
    const exp = Math.floor(Date.now() / 1_000) + 300;
    const token = await issuer.token({ sub: 'alice', exp });
    if (behaviour === 'closes') issuer.behave(behaviour);
    const program = ['--import', './test/programs/sources.js', '--conditions', '@sallyport/source'];
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...program, './test/programs/verified-token.ts', issuer.jwks, issuer.name, token],
      { cwd: root, env: { ...process.env, NODE_EXTRA_CA_CERTS: authority } },
    );
    return stdout.trim();
  };

  test.each(['answers', 'closes'] as const)(
    'a token is verified by an issuer that %s on a connection that was kept alive',
    async (behaviour) => {
      expect(await verified(behaviour)).toBe('alice');
      // The program's own fetch, one on the kept connection, and one more if that was closed.
      expect(issuer.fetches).toBe(behaviour === 'closes' ? 3 : 2);
    },
  );
});

test('an issuer that cuts every connection is tried twice and no more', async () => {
  issuer = await Issuer.start();
  issuer.behave('cuts');
  await expect(fetchKeySet(new URL(issuer.jwks), undefined)).rejects.toThrow(/^the connection failed \(/);
  expect(issuer.fetches).toBe(2);
});

test('an issuer that answers with an error, or that cannot be reached, is tried once', async () => {
  issuer = await Issuer.start();
  const url = new URL(issuer.jwks);
  issuer.behave('fails');
  await expect(fetchKeySet(url, undefined)).rejects.toThrow('it answered with status 503');
  expect(issuer.fetches).toBe(1);
  await issuer.stop();
  await expect(fetchKeySet(url, undefined)).rejects.toThrow('the connection failed (ECONNREFUSED)');
  issuer = await Issuer.start();
});

test('the connection of a fetch is not kept', async () => {
  issuer = await Issuer.start();
  // A kept one would be cut at the second request, and tried again.
  issuer.behave('closes');
  for (let i = 0; i < 3; i++) await fetchKeySet(new URL(issuer.jwks), undefined);
  expect(issuer.fetches).toBe(3);
});

test('a set that has not changed is not sent again, and is not taken for one if nobody asked', async () => {
  issuer = await Issuer.start();
  issuer.headers = { etag: '"1"', 'cache-control': 'max-age=120' };
  const url = new URL(issuer.jwks);
  expect(await fetchKeySet(url, undefined)).toMatchObject({ etag: '"1"', freshness: 120_000 });
  expect(await fetchKeySet(url, '"1"')).toEqual({ text: undefined, etag: '"1"', freshness: 120_000 });
  expect((await fetchKeySet(url, '"0"')).text).toContain('"keys"');
});

// `node bench/check.js`: whether the servers of the comparison do the same work. Each must answer what is right and refuse
// what is wrong, be it a handshake, a message or too many of them. Ends with 1 if one does not.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Client } from './client.js';
import { MAX_BYTES, RATES } from './common.js';
import { plain, socketIo } from './dialects.js';
import { signToken } from './token.js';

/** `full`: also the host, and bytes in a second. A team that assembles its stack does not come to these. */
const SERVERS = {
  bare: { checks: false },
  guard: { full: true },
  'guard-fastify': { full: true },
  'guard-express': { full: true },
  'by-hand': { full: true },
  'fastify-stack': {},
  'express-ws-stack': {},
  'socket-io': { dialect: socketIo },
};

const token = await signToken();
const badTokens = {
  'no token': undefined,
  'a forged token': await signToken({}, 'the secret of somebody else, 32 bytes or more'),
  'an expired token': await signToken({ exp: 1 }),
  'a token of nobody': await signToken({ sub: undefined }),
  'a token of another issuer': await signToken({ iss: 'elsewhere' }),
  'a token for somebody else': await signToken({ aud: 'elsewhere' }),
};

for (const [name, traits] of Object.entries(SERVERS)) {
  const results = [...(await check(name, 'echo', traits)), ...(await check(name, 'reply', traits))];
  const failures = results.filter(({ failure }) => failure !== undefined);
  const found = failures.map(({ what, failure }) => `\n  ${what}: ${failure}`).join('');
  console.log(`${name}: ${results.length - failures.length} of ${results.length} checks passed${found}`);
  if (failures.length > 0) process.exitCode = 1;
}

async function check(name, shape, { dialect = plain, checks = true, full = false }) {
  const results = [];
  const expect = async (what, work) => {
    const failure = await work().then(
      () => undefined,
      ({ message }) => message,
    );
    results.push({ what: `${shape}, ${what}`, failure });
  };
  const client = new Client(dialect, shape);

  await withServer(name, shape, RATES, async (port) => {
    await expect('a right message', () => client.isAnswered(port, token));
    if (!checks) return;
    for (const [what, bad] of Object.entries(badTokens))
      await expect(what, () => client.isRefused(port, bad));
    await expect('a foreign origin', () => client.isRefused(port, token, { origin: 'https://evil.example' }));
    if (full) await expect('a foreign host', () => client.isRefused(port, token, { host: 'evil.example' }));
    for (const [what, bad] of client.badMessages())
      await expect(what, () => client.isDenied(port, token, bad));
    await expect('a right message after all that', () => client.isAnswered(port, token));
  });
  if (!checks) return results;

  await withServer(name, shape, { ...RATES, messages: 3, handshakes: 3 }, async (port) => {
    await expect('too many messages', () => client.isCutOff(port, token, 10));
    await expect('too many handshakes', () => client.isRationed(port, token, 10));
  });
  if (!full) return results;

  await withServer(name, shape, { ...RATES, bytes: MAX_BYTES }, async (port) => {
    await expect('too many bytes', () => client.isCutOff(port, token, 400));
  });
  return results;
}

/** A server in a process of its own, as in the comparison, that must still be alive at the end. */
async function withServer(name, shape, rates, use) {
  const path = fileURLToPath(new URL('server.js', import.meta.url));
  const child = fork(path, [name, shape, JSON.stringify({ rates })]);
  const heard = () =>
    new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', () => reject(new Error(`${name} ended by itself`)));
    });
  const { port } = await heard();
  await use(port);
  child.send('cpu');
  await heard();
  child.disconnect();
}

// A program: verifies a token with the keys at a URL, after it has fetched that URL itself and so keeps a connection alive.
// Prints who the token is of, or why it is denied.
import { bearer, type Identity, jwt, memoryStore } from '@sallyport/core';
import { Denial } from '@sallyport/core/host';

const [jwks = '', issuer = '', credential = ''] = process.argv.slice(2);
const auth = jwt({ from: [bearer()], jwks, issuer, algorithms: ['ES256'], audience: 'chat' });
await (await fetch(jwks)).text();
// The connection goes back to its pool.
await new Promise((resolve) => setImmediate(resolve));
const clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule: () => () => {},
};
const verdict = await auth.authenticate({
  credential,
  clock,
  request: {} as never,
  store: memoryStore({ clock }) as never,
  signal: new AbortController().signal,
});
const said =
  verdict instanceof Denial ? `${verdict.reason}: ${verdict.detail}` : (verdict as Identity).subject;
process.stdout.write(`${said}\n`);

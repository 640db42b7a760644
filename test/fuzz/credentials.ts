import type { Draft } from './draft.ts';
import type { Random } from './random.ts';
import type { PooledToken } from './tokens.ts';

export interface Pool {
  readonly right: readonly PooledToken[];
  readonly wrong: readonly PooledToken[];
}

type Place = 'bearer' | 'query' | 'subprotocol';

/** Sessions that the custom authenticator knows by name; see `session` in the test. */
const RIGHT_SESSIONS = [
  'session=good',
  'session="good"',
  'session=%67ood',
  'a=1; session=good',
  'session=good; b="x"',
  'session=later',
];
const WRONG_SESSIONS = [
  'session=bad',
  'session=',
  'session="',
  'session=good\u00e9',
  'session=good%00',
  'session=throws',
  'session=rejects',
  'session=%E0%A4%A',
  'session=expired',
];
const AMBIGUOUS_SESSIONS = [
  'session=good; session=good',
  'session=bad; session=good',
  'session=good; session=',
];
const NO_SESSIONS = ['Session=good', 'xsession=good', 'good', 'session', '', ';;=;', '__proto__=good'];

/** Which credential a handshake presents, where, and whether it is right. Each combination states its outcome. */
export function chooseCredential(
  random: Random,
  draft: Draft,
  pool: Pool,
): { subprotocolToken: string | undefined } {
  const subprotocolToken = { subprotocolToken: undefined as string | undefined };
  const put = (place: Place, token: PooledToken): void => {
    if (place === 'bearer')
      draft.header('Authorization', `${random.pick(['Bearer', 'bearer', 'BEARER'])} ${token.text}`);
    else if (place === 'query')
      draft.query.push(`${random.pick(['token', '%74oken'])}=${escaped(random, token.text)}`);
    else subprotocolToken.subprotocolToken = token.text;
    if (!token.right) draft.deny('wrong token');
  };
  const session = (values: readonly string[]): void => draft.header('Cookie', random.pick(values));
  const places: readonly Place[] = ['bearer', 'query', 'subprotocol'];

  const kind = random.next();
  if (kind < 0.4) {
    session(RIGHT_SESSIONS);
    draft.ambient = true;
    draft.subject = 'session';
    if (random.chance(0.1))
      draft.header('Authorization', random.pick(['Basic Z29vZA==', 'Negotiate x', 'good', '']));
  } else if (kind < 0.8) {
    const token = random.pick(random.chance(0.08) ? pool.wrong : pool.right);
    put(random.pick(places), token);
    draft.subject = `user ${pool.right.indexOf(token)}`;
    // An ambient credential beside it changes nothing, except two cookies of the same name.
    if (random.chance(0.2)) session([...RIGHT_SESSIONS, ...WRONG_SESSIONS, ...NO_SESSIONS]);
  } else if (kind < 0.84) {
    session(WRONG_SESSIONS);
    draft.ambient = true;
    draft.deny('wrong session');
  } else if (kind < 0.88) {
    session(AMBIGUOUS_SESSIONS);
    if (random.chance(0.5)) put(random.pick(places), random.pick(pool.right));
    draft.deny('two sessions');
  } else if (kind < 0.92) {
    const [first, second] = random.shuffled(places) as [Place, Place];
    put(first, random.pick(pool.right));
    put(second, random.pick(random.chance(0.5) ? pool.right : pool.wrong));
    draft.deny('two tokens');
  } else if (kind < 0.94) {
    draft.query.push(`token=${random.pick(pool.right).text}`, `token=${random.pick(pool.right).text}`);
    draft.deny('one parameter twice');
  } else if (kind < 0.96) {
    session(RIGHT_SESSIONS);
    put(random.pick(places), random.pick(pool.wrong));
  } else if (kind < 0.99) {
    if (random.chance(0.5)) session(NO_SESSIONS);
    draft.deny('nothing');
  } else {
    draft.header('Cookie', 'session=hangs');
    draft.ambient = true;
    draft.hangs = true;
    draft.deny('no answer');
  }
  return subprotocolToken;
}

function escaped(random: Random, text: string): string {
  if (text.length === 0 || random.chance(0.7)) return text;
  const at = random.below(text.length);
  return `${text.slice(0, at)}%${text.charCodeAt(at).toString(16)}${text.slice(at + 1)}`;
}

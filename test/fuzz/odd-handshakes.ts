// Every byte value at random places of every field of a handshake that is otherwise good. What each field then means is told by its
// grammar (RFC 9110, RFC 6265bis, RFC 6455, RFC 9113), written down here as patterns and not taken from the guard.

import type { Clock } from '@sallyport/core';
import { bearer, cookie, createGuard, custom, query, subprotocol, Type } from '@sallyport/core';
import type { Random } from './random.ts';

const known = ({ credential = '' }) => (credential === 'Secret-1' ? { subject: 'alice' } : undefined);

/** The guard that the good handshake passes as `alice`, with the proxy that writes its forwarded fields. */
export function fieldsGuard(proxy: string, clock?: Clock) {
  return createGuard({
    hosts: ['chat.example.com'],
    origins: ['https://app.example.com'],
    trustedProxies: [proxy],
    auth: [
      custom({ scheme: 'cookie', from: [cookie('__Host-token')], authenticate: known }),
      custom({
        scheme: 'explicit',
        from: [bearer(), subprotocol({ marker: 'token' }), query('token')],
        authenticate: known,
      }),
    ],
    subprotocols: ['chat.v1'],
    messages: { say: Type.Object({}) },
    limits: {
      handshakes: { rate: '1000000/s', burst: 1_000_000 },
      authFailures: { rate: '1000000/s', burst: 1_000_000 },
      connections: 1_000_000,
      connectionsPerAddress: 1_000_000,
      connectionsPerIdentity: 1_000_000,
    },
    bans: { after: { rate: '1000000/s', burst: 1_000_000 } },
    ...(clock && { clock }),
    logger: false,
  });
}

/** What must come of a field: it says the same as before, something else, or the guard may be stricter than its grammar. */
type Meaning = 'same' | 'other' | 'either';
type Fields = Readonly<Record<string, string>>;

/** Optional white space around a value (RFC 9110 §5.5): space and tab. */
const OWS = '[ \\t]*';
const whole = (pattern: string, flags = ''): RegExp => new RegExp(`^${OWS}(?:${pattern})${OWS}$`, flags);
const same =
  (pattern: RegExp) =>
  (value: string): Meaning =>
    pattern.test(value) ? 'same' : 'other';
export const trimmed = (text: string): string => new RegExp(`^${OWS}(.*?)${OWS}$`, 's').exec(text)?.[1] ?? '';
/** Members of a list by its grammar (RFC 9110 §5.6.1), empty ones left out; `undefined` if one is no token. */
function tokens(value: string): string[] | undefined {
  const named = members(value).filter((member) => member !== '');
  return named.every((member) => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(member)) ? named : undefined;
}
function members(value: string): string[] {
  return value.split(',').map(trimmed);
}
/** The values of a cookie (RFC 6265bis §5.6): pairs between semicolons, blanks around name and value, every other byte kept. */
function cookies(value: string, name: string): string[] {
  return value.split(';').flatMap((pair) => {
    const at = pair.indexOf('=');
    const [left, right] = at === -1 ? ['', pair] : [pair.slice(0, at), pair.slice(at + 1)];
    return trimmed(left) === name ? [trimmed(right)] : [];
  });
}

interface Field {
  readonly name: string;
  readonly good: string;
  /** Whether the credential is in it. */
  readonly credential?: boolean;
  readonly meaning: (value: string) => Meaning;
}

const FIELDS: readonly Field[] = [
  { name: 'Host', good: 'chat.example.com', meaning: same(whole('chat\\.example\\.com', 'i')) },
  { name: 'Origin', good: 'https://app.example.com', meaning: same(whole('https://app\\.example\\.com')) },
  { name: 'Upgrade', good: 'websocket', meaning: same(whole('websocket', 'i')) },
  { name: 'Sec-WebSocket-Version', good: '13', meaning: same(whole('13')) },
  {
    name: 'Sec-WebSocket-Key',
    good: 'dGhlIHNhbXBsZSBub25jZQ==',
    // Any other 16 bytes in base64 serve as well (RFC 6455 §4.1).
    meaning: (value) => (whole('[A-Za-z0-9+/]{22}==').test(value) ? 'either' : 'other'),
  },
  {
    name: 'Connection',
    good: 'keep-alive, Upgrade',
    // Other options may be anything: only whether `upgrade` is one of them decides.
    meaning: (value) => {
      const isOne = members(value).some((option) => /^upgrade$/i.test(option));
      return isOne ? (tokens(value)?.length === members(value).length ? 'same' : 'either') : 'other';
    },
  },
  {
    name: 'Cookie',
    good: 'theme=dark; __Host-token=Secret-1; lang=en',
    credential: true,
    meaning: (value) => {
      const found = cookies(value, '__Host-token');
      return found.length === 1 && found[0] === 'Secret-1' ? 'same' : 'other';
    },
  },
  {
    name: 'Authorization',
    good: 'Bearer Secret-1',
    credential: true,
    meaning: same(whole('[Bb][Ee][Aa][Rr][Ee][Rr] +Secret-1')),
  },
  {
    name: 'Sec-WebSocket-Protocol',
    good: 'chat.v1, token, Secret-1',
    credential: true,
    meaning: (value) => {
      const offered = tokens(value);
      if (offered === undefined || new Set(offered).size !== offered.length) return 'other';
      const at = offered.indexOf('token');
      if (at === -1 || offered[at + 1] !== 'Secret-1') return 'other';
      // ws, too, refuses an empty member, which RFC 9110 §5.6.1 lets a reader pass over.
      return offered.includes('chat.v1') && offered.length === members(value).length ? 'same' : 'either';
    },
  },
  {
    name: 'X-Forwarded-For',
    good: '198.51.100.1, 203.0.113.7',
    // Read from the right: what is left of the first address that is no proxy is the client's own word.
    meaning: (value) => {
      const last = members(value).at(-1) ?? '';
      if (!/^[0-9.]+$/.test(last))
        return /^[0-9.]*:[0-9]*$|^[0-9.]*%[0-9a-z._-]+$/i.test(last) ? 'either' : 'other';
      return last === '203.0.113.7' ? 'same' : 'either';
    },
  },
  {
    name: 'X-Forwarded-Proto',
    good: 'https',
    // A list, of which the nearest proxy has written the last member.
    meaning: (value) => {
      const named = members(value).filter((member) => member !== '');
      if (!/^https$/i.test(named.at(-1) ?? '')) return 'other';
      return members(value).length === 1 ? 'same' : 'either';
    },
  },
];

const TARGET = '/chat?room=1&token=Secret-1';

/** A control byte that no field may hold (RFC 9110 §5.5). node:http hands none on, and the guard may refuse or keep it. */
const hasControl = (text: string): boolean => /[^\P{Cc}\t\x80-\x9f]/u.test(text);

/** Puts a byte somewhere, or in the place of another. */
function written(random: Random, text: string, byte: number): string {
  const at = random.below(text.length + 1);
  const kept = random.chance(0.5) ? at : Math.min(text.length, at + 1);
  return text.slice(0, at) + String.fromCharCode(byte) + text.slice(kept);
}

/** A handshake with one odd byte. */
export interface OddHandshake {
  readonly byte: number;
  readonly target: string;
  readonly fields: Fields;
  readonly meaning: Meaning;
}

export function oddHandshake(random: Random, byte: number): OddHandshake {
  const inTarget = random.chance(0.1);
  const from = inTarget ? undefined : random.pick(FIELDS.filter(({ credential }) => credential === true));
  const used = FIELDS.filter((field) => field.credential !== true || field === from);
  const fields: Record<string, string> = Object.fromEntries(used.map(({ name, good }) => [name, good]));
  let target = inTarget ? TARGET : '/chat?room=1';
  let meaning: Meaning;
  if (inTarget) {
    target = written(random, TARGET, byte);
    const parameter = /^[^?#]*\?(?:[^#]*&)?token=Secret-1(?:&[^#]*)?$/.test(target);
    meaning = parameter ? 'either' : 'other';
  } else {
    const field = random.pick(used);
    if (random.chance(0.1)) {
      const odd = written(random, field.name, byte);
      delete fields[field.name];
      fields[odd] = field.good;
      meaning = meaningOfName(field.name, odd);
    } else {
      fields[field.name] = written(random, field.good, byte);
      meaning = field.meaning(fields[field.name] as string);
    }
  }
  const texts = [target, ...Object.entries(fields).flat()];
  if (meaning === 'same' && texts.some(hasControl)) meaning = 'either';
  return { byte, target, fields, meaning };
}

/** A field of another name is another field; which ones may be missing is not what this is about. */
function meaningOfName(name: string, odd: string): Meaning {
  if (odd.toLowerCase() === name.toLowerCase()) return 'same';
  return name.startsWith('X-') || name === 'Origin' ? 'either' : 'other';
}

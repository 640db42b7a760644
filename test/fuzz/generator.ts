import type { HandshakeRequest } from '@sallyport/core';
import { chooseCredential, type Pool } from './credentials.ts';
import { Draft } from './draft.ts';
import type { Random } from './random.ts';

export interface Generated {
  readonly request: HandshakeRequest;
  readonly draft: Draft;
}

/** The share of wrong choices: with fifteen choices, about half of all handshakes must be admitted. */
const WRONG = 0.04;
/** Bytes that Node's parser allows in a value, and that no name, token or origin may hold. */
const ODD = ['\u0080', '\u00ff', '\u00e9', '\u00a0', '\u00ad', '"', '\\', '|', '<', '^', '\t', '{', '%', ';'];

const ODD_TEXTS = ['', ...ODD, ...ODD.map((byte, i) => byte.repeat(i) + ODD.join(`x${i}`))];

const ORIGINS = [
  'https://app.example.com',
  'https://a.tenant.example.com',
  'https://x-1.tenant.example.com',
  'capacitor://localhost',
];
const FOREIGN_ORIGINS = [
  'https://evil.example', 'http://app.example.com', 'https://app.example.com:8443', 'https://app.example.com:443',
  'https://app.example.com.', 'https://app.example.com/', 'https://APP.example.com', 'https://app.example.com.evil.example',
  'https://evilapp.example.com', 'https://example.com', 'https://tenant.example.com', 'https://a.b.tenant.example.com',
  'https://eviltenant.example.com', 'https://user@app.example.com', 'https://evil.example\\@app.example.com',
  'https:app.example.com', 'app.example.com', '', '*', 'NULL', 'file://', 'wss://app.example.com', 'capacitor://evil',
  'https://*.tenant.example.com', 'https://.tenant.example.com', 'https://app.example.com https://app.example.com',
  'https://app%2eexample.com', 'https://127.0.0.1', 'data:text/html,x', 'https://app.example.com#', 'https://a\uff0etenant.example.com',
]; // biome-ignore format: a list of texts reads best as a block
const HOSTS = [
  'chat.example.com',
  'CHAT.example.com',
  'chat.example.com:443',
  'b.hosts.example.com',
  'b.hosts.example.com:8443',
];
const FOREIGN_HOSTS = [
  'evil.example', 'localhost', '127.0.0.1', 'chat.example.com.', 'chat.example.com.evil.example', 'evilchat.example.com',
  'hosts.example.com', 'a.b.hosts.example.com', 'user@chat.example.com', 'chat.example.com/x', 'chat.example.com:99999',
  'chat.example.com:', 'chat.example.com:0443', '', 'chat.example.com, evil.example', '[::1]', '[chat.example.com', '0x7f.1',
  'chat%2eexample.com',
]; // biome-ignore format: a list of texts reads best as a block
const TARGETS = [
  'http://chat.example.com/chat', 'https://evil.example/chat', '//evil.example/chat', '*', '', 'chat', 'chat.example.com:443',
  '/chat#x', '/ch at', '/ch\\at', '/\u00e9', '/chat\t', 'ws://chat.example.com/chat',
]; // biome-ignore format: a list of texts reads best as a block
const KNOWN = ['chat.v1', 'chat.v2'];

type Choice = (random: Random, draft: Draft) => void;

/** Mostly one of the right values, and sometimes a wrong one, which is recorded in the draft. */
function either<T>(
  name: string,
  right: readonly T[],
  wrong: readonly T[],
  use: (draft: Draft, value: T) => void,
): Choice {
  return (random, draft) => {
    const isWrong = random.chance(WRONG);
    use(draft, random.pick(isWrong ? wrong : right));
    if (isWrong) draft.deny(name);
  };
}

/** A header. It may be missing if `undefined` is among the values. */
function header(
  name: string,
  right: readonly (string | undefined)[],
  wrong: readonly (string | undefined)[],
): Choice {
  return either(name, right, wrong, (draft, value) => {
    if (value !== undefined) draft.header(name, value);
  });
}

const CHOICES: readonly Choice[] = [
  either('method', ['GET'], ['POST', 'get', 'CONNECT', 'OPTIONS', 'HEAD', ''], (draft, method) => {
    draft.method = method;
  }),
  either('HTTP version', ['1.1'], ['1.0', '2.0', '0.9', ''], (draft, version) => {
    draft.httpVersion = version;
  }),
  either('path', ['/chat', '/', '/a/b;c=1', '/%2e%2e/%00', '/chat/%E9'], ['/forbidden'], (draft, path) => {
    draft.path = path;
  }),
  either('target', [undefined], TARGETS, (draft, target) => {
    draft.target = target;
  }),
  header(
    'Upgrade',
    ['websocket', 'WebSocket'],
    [undefined, 'h2c', 'websocket, h2c', '', 'websocket/13', 'TLS/1.0'],
  ),
  header('Connection', ['Upgrade', 'upgrade', 'keep-alive, Upgrade'], [undefined, 'close', 'upgrades', '']),
  header('Sec-WebSocket-Version', ['13'], [undefined, '8', '7', '14', '13, 8', '013', '']),
  header(
    'Sec-WebSocket-Key',
    ['dGhlIHNhbXBsZSBub25jZQ==', 'AAAAAAAAAAAAAAAAAAAAAA=='],
    [undefined, '', 'short', 'A'.repeat(24), `${'A'.repeat(25)}==`],
  ),
  header(
    'Sec-WebSocket-Extensions',
    [undefined, 'permessage-deflate', 'permessage-deflate; client_max_window_bits'],
    ['x\u00e9', 'a'.repeat(1_025), 'a,'.repeat(9)],
  ),
  header('Content-Length', [undefined, undefined, '0'], ['1', '00', '-1', '0, 0', 'x', '']),
  header('Transfer-Encoding', [undefined], ['chunked', 'identity', '', 'gzip, chunked']),
  header('Host', HOSTS, [...FOREIGN_HOSTS, undefined]),
  chooseNetwork,
  chooseSurroundings,
];

/** The peer: TLS that ends here, or a listed proxy that says that TLS ended there. */
function chooseNetwork(random: Random, draft: Draft): void {
  const proxied = (forwardedFor: string, proto: string | undefined): void => {
    draft.peer = { address: random.pick(['10.0.0.1', '::ffff:10.9.9.9']), encrypted: false, unix: false };
    draft.header('X-Forwarded-For', forwardedFor);
    if (proto !== undefined) draft.header('X-Forwarded-Proto', proto);
  };
  const right: (() => void)[] = [
    () => {
      const address = random.pick([
        '203.0.113.7',
        '2001:db8::1',
        '::1',
        '127.0.0.1',
        'fe80::1%eth0',
        '::ffff:198.51.100.1',
      ]);
      draft.peer = { address, encrypted: true, unix: false };
      // Forwarding headers of an unlisted peer are not read.
      if (random.chance(0.3)) draft.header('X-Forwarded-For', random.pick(['127.0.0.1', 'garbage', '']));
      if (random.chance(0.1)) draft.header('Forwarded', 'for=127.0.0.1;proto=http');
    },
    () => proxied('203.0.113.7', 'https'),
    () => proxied('garbage, 2001:db8::7', 'https'),
    () => proxied('198.51.100.9, 10.0.0.2', random.pick(['https', 'https, http', 'wss'])),
  ];
  const plain =
    (address: string | undefined, unix = false) =>
    () => {
      draft.peer = { address, encrypted: false, unix };
      if (random.chance(0.5)) draft.header('X-Forwarded-Proto', 'https');
    };
  const wrong: (() => void)[] = [
    plain('203.0.113.7'),
    plain('127.0.0.1'),
    plain('::1'),
    plain(undefined, true),
    plain(undefined),
    plain('garbage'),
    () => proxied('203.0.113.7', 'http'),
    () => proxied('203.0.113.7', undefined),
    () => proxied('203.0.113.7', 'https, https'),
    () => proxied('198.51.100.9, 203.0.113.7', 'https, http'),
    () => proxied('203.0.113.7, unknown', 'https'),
    () => proxied('203.0.113.7:4711', 'https'),
    () => proxied('', 'https'),
    () => proxied('203.0.113.7,', 'https'),
  ];
  const isWrong = random.chance(WRONG);
  random.pick(isWrong ? wrong : right)();
  if (isWrong) draft.deny('network');
}

/** Headers that do not matter, with any bytes in them, and sometimes too many. */
function chooseSurroundings(random: Random, draft: Draft): void {
  for (let i = random.below(4); i > 0; i--) {
    const name = random.pick([
      'User-Agent',
      'Accept',
      'X-Odd',
      'x',
      'Pragma',
      '__proto__',
      'constructor',
      'Via',
      'X-Forwarded-Host',
    ]);
    draft.header(name, random.pick(ODD_TEXTS));
  }
  if (random.chance(0.2))
    draft.query.push(random.pick(['room=1', 'a', 'a=%', '=', '__proto__=1', 'tokens=x', 'b=%E0%A4%A']));
  // Rare, since these are the slowest to generate and all alike.
  if (!random.chance(WRONG / 4)) return;
  draft.deny('size');
  if (random.chance(0.5)) draft.header('X-Filler', 'x'.repeat(16_384));
  else for (let i = 0; i < 101; i++) draft.header('X-Many', '');
}

/** Comes after the credential: a handshake with an explicit one needs no origin. */
function chooseOrigin(random: Random, draft: Draft): void {
  if (random.chance(WRONG)) {
    draft.deny('origin');
    draft.header('Origin', withOddByte(random, random.pick(ORIGINS), FOREIGN_ORIGINS));
  } else if (random.chance(0.2)) {
    if (random.chance(0.5)) draft.header('Origin', 'null');
    if (draft.ambient) draft.deny('no origin beside an ambient credential');
  } else draft.header('Origin', random.pick(ORIGINS));
}

function withOddByte(random: Random, right: string, wrong: readonly string[]): string {
  if (random.chance(0.7)) return random.pick(wrong);
  const at = random.below(right.length + 1);
  return right.slice(0, at) + random.pick(ODD) + right.slice(at);
}

/** The application's own subprotocols, around the pair that may carry the token. */
function chooseSubprotocols(random: Random, draft: Draft, token: string | undefined): void {
  const pair = token === undefined ? [] : ['bearer', token];
  const known = random.chance(0.4) ? random.shuffled(KNOWN).slice(0, 1 + random.below(2)) : [];
  const unknown = random.chance(0.15) ? ['soap', 'mqtt'].slice(random.below(2)) : [];
  const own = random.shuffled([...known, ...unknown]);
  const offered = random.chance(0.5) ? [...own, ...pair] : [...pair, ...own];
  draft.subprotocol = own.find((name) => KNOWN.includes(name)) ?? pair[0];
  if (known.length === 0 && unknown.length > 0 && token === undefined)
    draft.deny('unknown subprotocols only');
  if (random.chance(WRONG)) {
    draft.deny('subprotocols');
    if (random.chance(0.3)) offered.push('chat.v1', 'chat.v1');
    else if (random.chance(0.4))
      offered.push(`ch${random.pick(ODD.filter((byte) => !'|^%'.includes(byte)))}at`);
    else if (random.chance(0.5)) offered.push('');
    else offered.push(...Array.from({ length: 17 }, (_, i) => `p${i}`));
  }
  if (offered.length > 0)
    draft.header('Sec-WebSocket-Protocol', offered.join(random.pick([',', ', ', ' , '])));
}

const ONCE = [
  'Host',
  'Origin',
  'Authorization',
  'Upgrade',
  'Sec-WebSocket-Key',
  'Sec-WebSocket-Version',
  'Content-Length',
];

/** Repeats a header: with the same value, or with another one before or after it. */
function chooseRepetition(random: Random, draft: Draft): void {
  if (!random.chance(WRONG)) return;
  const present = draft.headers.filter(([name]) => ONCE.includes(name));
  if (present.length === 0) return;
  const [name, value] = random.pick(present);
  draft.header(
    name,
    random.chance(0.5) ? value : random.pick(['', 'x', ...ORIGINS, ...HOSTS, 'websocket', '13']),
  );
  draft.deny(`${name} twice`);
}

/** Headers that are lists, and what stands between their entries: they may come on several lines. */
const LISTS: Readonly<Record<string, string>> = { Cookie: ';', 'Sec-WebSocket-Protocol': ',' };

function lines(random: Random, name: string, value: string): readonly string[] {
  const separator = LISTS[name];
  return separator !== undefined && random.chance(0.2) ? value.split(separator) : [value];
}

/** One handshake from independent choices. Each choice records whether the handshake must be denied for it. */
export function generate(random: Random, pool: Pool): Generated {
  const draft = new Draft();
  for (const choose of CHOICES) choose(random, draft);
  const { subprotocolToken } = chooseCredential(random, draft, pool);
  chooseSubprotocols(random, draft, subprotocolToken);
  chooseOrigin(random, draft);
  chooseRepetition(random, draft);
  const casing = random.pick([
    (name: string) => name,
    (name: string) => name.toLowerCase(),
    (name: string) => name.toUpperCase(),
  ]);
  const order = (headers: [string, string][]): [string, string][] => {
    // X-Forwarded-For is a list whose order matters, and it occurs once.
    return random
      .shuffled(headers)
      .flatMap(([name, value]) =>
        lines(random, name, value).map((line): [string, string] => [casing(name), line]),
      );
  };
  return { draft, request: draft.request(order) };
}

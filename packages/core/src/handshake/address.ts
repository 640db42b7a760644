import ipaddr from 'ipaddr.js';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { Peer } from '../vocabulary/ports.ts';
import { listEntries, lowerCase } from './field-grammar.ts';
import type { HandshakeHeaders } from './headers.ts';

type IP = ipaddr.IPv4 | ipaddr.IPv6;

/** A client address in the one form that the guard counts and reports. */
export interface Address {
  readonly text: string;
  /** The key of the address's limits. An IPv6 address counts by its /64, because one host owns all of it. */
  readonly bucket: string;
  /** The wider prefixes that new addresses share once a table is full: IPv4 /24 and /16, IPv6 /56 and /48. */
  readonly coarser: readonly string[];
  readonly loopback: boolean;
}

export interface Client {
  readonly address: Address;
  /** Whether the client uses TLS, as this server sees it or a trusted proxy says. */
  readonly secure: boolean;
  readonly throughTrustedProxy: boolean;
  /** False for loopback, a Unix socket and a listed proxy: a ban would hit every client behind them. */
  readonly bannable: boolean;
}

export interface TrustedProxies {
  readonly unix: boolean;
  readonly ranges: readonly (readonly [IP, number])[];
  readonly header: 'x-forwarded-for' | 'forwarded';
}

const UNIX: Address = { text: 'unix', bucket: 'unix', coarser: [], loopback: false };
const NAT64 = ipaddr.IPv6.parse('64:ff9b::');

export function compileTrustedProxies(
  list: readonly string[],
  header: TrustedProxies['header'],
): TrustedProxies {
  const ranges = list.filter((entry) => entry !== 'unix').map((entry) => parseRange(entry));
  return { unix: list.includes('unix'), ranges, header };
}

function parseRange(entry: string): readonly [IP, number] {
  try {
    const [ip, bits] = entry.includes('/') ? ipaddr.parseCIDR(entry) : withAllBits(ipaddr.parse(entry));
    if (bits === 0) throw new Error('the whole internet');
    return [ip, bits];
  } catch {
    throw new PolicyError(
      'policy.trustedProxies',
      `'${entry}' is not an IP address, a CIDR range narrower than /0, or 'unix'`,
      "List the proxies in front of this server, such as '10.0.0.0/8'.",
    );
  }
}

function withAllBits(ip: IP): [IP, number] {
  return [ip, ip.kind() === 'ipv4' ? 32 : 128];
}

/** Unwraps IPv4 from `::ffff:` and NAT64 (RFC 6052) and drops a zone id. `undefined` for any other text. */
export function parseAddress(text: string): Address | undefined {
  const parts = PLAIN_IPV4.exec(text);
  if (parts !== null) return plainAddress(parts);
  const ip = parseIp(text);
  return ip === undefined ? undefined : addressOf(ip);
}

const OCTET = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const PLAIN_IPV4 = new RegExp(`^(?:::ffff:)?${[OCTET, OCTET, OCTET, OCTET].join('\\.')}$`);

/** A fast path for IPv4, with the same result as `addressOf`. */
function plainAddress([, a, b, c, d]: RegExpExecArray): Address {
  const text = `${a}.${b}.${c}.${d}`;
  return { text, bucket: text, coarser: [`${a}.${b}.${c}.0/24`, `${a}.${b}.0.0/16`], loopback: a === '127' };
}

function parseIp(text: string): IP | undefined {
  const bare = text.replace(/%[0-9a-z._-]+$/i, '');
  if (!(ipaddr.IPv4.isValidFourPartDecimal(bare) || ipaddr.IPv6.isValid(bare))) return undefined;
  const ip = ipaddr.process(bare);
  if (ip.kind() === 'ipv6' && (ip as ipaddr.IPv6).match(NAT64, 96)) {
    return new ipaddr.IPv4(ip.toByteArray().slice(12));
  }
  return ip;
}

function addressOf(ip: IP): Address {
  const text = ip.toString();
  const loopback = ip.range() === 'loopback';
  if (ip.kind() === 'ipv4') {
    const [a, b, c] = ip.toByteArray();
    return { text, bucket: text, coarser: [`${a}.${b}.${c}.0/24`, `${a}.${b}.0.0/16`], loopback };
  }
  const wide = (bits: number): string =>
    `${ipaddr.IPv6.networkAddressFromCIDR(`${text}/${bits}`).toString()}/${bits}`;
  return { text, bucket: wide(64), coarser: [wide(56), wide(48)], loopback };
}

/**
 * Finds the client behind the listed proxies: reads the forwarding header from the right and takes the first address
 * that is no listed proxy (ASVS 5.0, 4.1.3). `undefined` if a trusted proxy's header cannot be parsed.
 */
export function resolveClient(
  peer: Peer,
  headers: HandshakeHeaders,
  proxies: TrustedProxies,
): Client | undefined {
  const nearest = peer.unix ? UNIX : peer.address === undefined ? undefined : parseAddress(peer.address);
  if (nearest === undefined) return undefined;
  if (!isTrusted(nearest, proxies)) return clientOf(nearest, peer.encrypted, false, proxies);

  const hops = proxies.header === 'forwarded' ? readForwarded(headers) : readForwardedFor(headers);
  if (hops === undefined) return undefined;
  if (hops.length === 0) return clientOf(nearest, peer.encrypted, true, proxies);
  for (let i = hops.length - 1; i >= 0; i--) {
    const hop = hops[i] as Hop;
    const address = parseAddress(hop.address);
    if (address === undefined) return undefined;
    if (i === 0 || !isTrusted(address, proxies)) {
      return clientOf(address, hop.proto === 'https' || hop.proto === 'wss', true, proxies);
    }
  }
  return undefined;
}

export function sourceOfAddress(
  text: string,
  proxies: TrustedProxies,
): { readonly bucket: string; readonly coarser: readonly string[]; readonly bannable: boolean } {
  const address = parseAddress(text);
  if (address === undefined) return { bucket: text, coarser: [], bannable: false };
  const { bucket, coarser } = address;
  return { bucket, coarser, bannable: isBannable(address, proxies) };
}

function isBannable(address: Address, proxies: TrustedProxies): boolean {
  return address !== UNIX && !address.loopback && !isTrusted(address, proxies);
}

function clientOf(
  address: Address,
  secure: boolean,
  throughTrustedProxy: boolean,
  proxies: TrustedProxies,
): Client {
  return { address, secure, throughTrustedProxy, bannable: isBannable(address, proxies) };
}

function isTrusted(address: Address, proxies: TrustedProxies): boolean {
  if (address === UNIX) return proxies.unix;
  if (proxies.ranges.length === 0) return false;
  const ip = ipaddr.parse(address.text);
  return proxies.ranges.some(([range, bits]) => range.kind() === ip.kind() && ip.match(range as never, bits));
}

interface Hop {
  readonly address: string;
  readonly proto: string | undefined;
}

/** `X-Forwarded-Proto` counts only if it holds one value, or one for each hop. */
function readForwardedFor(headers: HandshakeHeaders): readonly Hop[] | undefined {
  if (headers.forwardedFor === undefined) return [];
  const addresses = listEntries(headers.forwardedFor, MAX_HOPS);
  const protos = listEntries(headers.forwardedProto ?? '', MAX_HOPS)?.map(lowerCase) ?? [];
  return addresses?.map((address, i) => ({
    address,
    proto: protos.length === addresses.length ? protos[i] : protos.length === 1 ? protos[0] : undefined,
  }));
}

/** RFC 7239 §4. Also reads addresses with colons and brackets that stand without the quotes that the RFC demands. */
const FORWARDED_PAIR =
  /[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*)"|([\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]+))[ \t]*(;[ \t]*(?=,|$)|)([;,]|$)/y;

/** Drops ports. `unknown` and obfuscated names become addresses that cannot be parsed. */
function readForwarded({ forwarded }: HandshakeHeaders): readonly Hop[] | undefined {
  if (forwarded === undefined) return [];
  const hops: Hop[] = [];
  let element = new Map<string, string>();
  FORWARDED_PAIR.lastIndex = 0;
  for (let pairs = 0; pairs < MAX_HOPS * PAIRS_OF_A_HOP; pairs++) {
    const match = FORWARDED_PAIR.exec(forwarded);
    const name = lowerCase(match?.[1] ?? '');
    if (match === null || element.has(name)) return undefined;
    element.set(name, match[3] ?? (match[2] as string).replace(/\\(.)/g, '$1'));
    if (match[5] === ';') continue;
    hops.push(forwardedHop(element));
    if (match[5] === '') return hops;
    if (hops.length === MAX_HOPS) return undefined;
    element = new Map();
  }
  return undefined;
}

function forwardedHop(pairs: ReadonlyMap<string, string>): Hop {
  const node = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?::\d{1,5})?$/i.exec(pairs.get('for') ?? '');
  return { address: node?.[1] ?? node?.[2] ?? '', proto: lowerCase(pairs.get('proto') ?? '') };
}

/** Bounds what one request costs before the address's rate is checked. No real chain of proxies is longer. */
const MAX_HOPS = 20;
const PAIRS_OF_A_HOP = 8;

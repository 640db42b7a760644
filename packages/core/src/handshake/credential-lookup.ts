import { type Authenticator, chooseReader } from '../auth/authenticator.ts';
import { type CredentialSource, sourceKey } from '../auth/credential-source.ts';
import { type Denial, deny } from '../vocabulary/decision.ts';
import { blanksBefore, blanksFrom, withoutBlanks } from './field-grammar.ts';
import type { Credential, HandshakeContext } from './handshake-context.ts';
import type { Stage } from './stage.ts';

/**
 * Finds the credential without verifying it. An explicit credential beats an ambient one. Two explicit ones are
 * refused, because an attacker may have added the second. A wrong explicit one never falls back to a weaker one.
 */
export function credentialStage(authenticators: readonly Authenticator[]): Stage {
  const places = placesOf(authenticators);
  return {
    name: 'credential',
    check(context) {
      let explicit: Credential | undefined;
      let ambient: Credential | undefined;
      for (const { source, readers } of places) {
        const values = find(context, source);
        if (values.length > 1) return ambiguous(`${source.kind} holds more than one credential`);
        const value = values[0];
        if (value === undefined) continue;
        const authenticator = chooseReader(readers, value);
        const found: Credential = { value, source, authenticator };
        if (source.ambient) ambient ??= found;
        else if (explicit === undefined) explicit = found;
        else return ambiguous(`both ${explicit.source.kind} and ${source.kind} hold a credential`);
      }
      context.credential = explicit ?? ambient;
      return undefined;
    },
  };
}

interface Place {
  readonly source: CredentialSource;
  /** Several if each reads the tokens of its own issuer. */
  readonly readers: readonly Authenticator[];
}

function placesOf(authenticators: readonly Authenticator[]): readonly Place[] {
  const places = new Map<string, { source: CredentialSource; readers: Authenticator[] }>();
  for (const authenticator of authenticators) {
    for (const source of authenticator.from) {
      const place = places.get(sourceKey(source)) ?? { source, readers: [] };
      place.readers.push(authenticator);
      places.set(sourceKey(source), place);
    }
  }
  return [...places.values()];
}

const NOTHING: readonly string[] = [];

function find(context: HandshakeContext, source: CredentialSource): readonly string[] {
  switch (source.kind) {
    case 'bearer':
      return findBearer(context.headers.authorization);
    case 'cookie':
      return findCookie(context.headers.cookie, source.name);
    case 'query':
      return context.target.credentials.get(source.name) ?? NOTHING;
    case 'subprotocol':
      return findSubprotocol(context.offered, source.marker);
  }
}

/** RFC 6750 §2.1; the scheme's name is case-insensitive (RFC 9110 §11.1). */
function findBearer(authorization: string | undefined): readonly string[] {
  const match = authorization === undefined ? null : /^bearer(?: +(.*))?$/i.exec(authorization);
  return match === null ? NOTHING : [match[1] ?? ''];
}

/**
 * RFC 6265bis §5.6: only spaces and tabs around a name are dropped. Browsers protect only the exact `__Host-` and
 * `__Secure-` names, so no other name may be read as one. Up to two values are returned, because two are refused.
 */
function findCookie(header: string | undefined, name: string): readonly string[] {
  if (header === undefined) return NOTHING;
  const values: string[] = [];
  for (let at = header.indexOf(name); at !== -1 && values.length < 2; at = header.indexOf(name, at + 1)) {
    const before = blanksBefore(header, at);
    const equals = blanksFrom(header, at + name.length);
    if ((before > 0 && header[before - 1] !== ';') || header[equals] !== '=') continue;
    const next = header.indexOf(';', equals);
    values.push(unquote(withoutBlanks(header.slice(equals + 1, next === -1 ? header.length : next))));
  }
  return values;
}

function unquote(value: string): string {
  const inner = /^"(.*)"$/.exec(value)?.[1] ?? value;
  try {
    return inner.includes('%') ? decodeURIComponent(inner) : inner;
  } catch {
    return inner;
  }
}

/** A marker with no token behind it is an empty credential, which is then refused. */
function findSubprotocol(offered: readonly string[], marker: string): readonly string[] {
  const at = offered.indexOf(marker);
  return at === -1 ? NOTHING : [offered[at + 1] ?? ''];
}

function ambiguous(detail: string): Denial {
  return deny('credential_ambiguous', detail);
}

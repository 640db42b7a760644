import type { Revocation } from '@sallyport/core/store';

export type Message =
  /** Without an `id` if there was no room to store it. */
  | { readonly kind: 'revoked'; readonly id: string | undefined; readonly revocation: Revocation }
  /** `left` is in milliseconds, because the clocks of nodes differ. */
  | {
      readonly kind: 'ban';
      readonly node: string;
      readonly left: number;
      readonly count: number;
      readonly key: string;
    }
  | { readonly kind: 'unban'; readonly node: string; readonly key: string }
  /** A slot was given to a newer holder. */
  | { readonly kind: 'replaced'; readonly holder: string; readonly key: string }
  | { readonly kind: 'read' };

const NAMES = ['subject', 'session', 'tokenId'] as const;

export function parseMessage(text: string): Message | undefined {
  if (text === 'read') return { kind: 'read' };
  const revoked = /^revoked (\S+) (.*)$/s.exec(text);
  if (revoked !== null) {
    const revocation = parseRevocation(revoked[2] ?? '');
    const id = revoked[1] === '-' ? undefined : revoked[1];
    return revocation === undefined ? undefined : { kind: 'revoked', id, revocation };
  }
  const ban = /^ban (\S+) (\d\S*) (\d+) (.*)$/s.exec(text);
  if (ban !== null) {
    const [, node = '', left, count, key = ''] = ban;
    return { kind: 'ban', node, left: Number(left), count: Number(count), key };
  }
  const replaced = /^replaced (\S+) (.*)$/s.exec(text);
  if (replaced !== null) return { kind: 'replaced', holder: replaced[1] ?? '', key: replaced[2] ?? '' };
  const unban = /^unban (\S+) (.*)$/s.exec(text);
  return unban === null ? undefined : { kind: 'unban', node: unban[1] ?? '', key: unban[2] ?? '' };
}

/** Equal for equal revocations on every node. */
export function revocationText({ subject, session, tokenId, issuedBefore }: Revocation): string {
  return JSON.stringify({ subject, session, tokenId, issuedBefore });
}

/** `undefined` for anything else: others may write to the same Redis. */
export function parseRevocation(text: string): Revocation | undefined {
  let value: Readonly<Record<string, unknown>>;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || typeof value.issuedBefore !== 'number') return undefined;
  if (NAMES.some((name) => value[name] !== undefined && typeof value[name] !== 'string')) return undefined;
  const named = NAMES.flatMap((name) => (value[name] === undefined ? [] : [[name, value[name]]]));
  return { ...Object.fromEntries(named), issuedBefore: value.issuedBefore };
}

/** Revocations that Redis holds, to find those that it has lost. */
export class Seen {
  readonly #issuedBefore = new Map<string, number>();

  add(revocation: Revocation): void {
    for (const key of keysOf(revocation))
      this.#issuedBefore.set(key, Math.max(revocation.issuedBefore, this.#issuedBefore.get(key) ?? 0));
  }

  covers(revocation: Revocation): boolean {
    return keysOf(revocation).every(
      (key) => (this.#issuedBefore.get(key) ?? Number.NEGATIVE_INFINITY) >= revocation.issuedBefore,
    );
  }
}

function keysOf(revocation: Revocation): string[] {
  return NAMES.filter((name) => revocation[name] !== undefined).map((name) => `${name} ${revocation[name]}`);
}

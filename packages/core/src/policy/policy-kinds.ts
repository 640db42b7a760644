import type { Authenticator } from '../auth/authenticator.ts';
import { isCredentialSource } from '../auth/credential-source.ts';
import { TICK } from '../connection/liveness.ts';
import { type OriginsOption, unsafeAllowAnyOrigin } from '../handshake/origin.ts';
import type { Passthrough } from '../message/passthrough.ts';
import type { AuthorizeMessage } from '../message/rules.ts';
import type { Kind } from '../vocabulary/option.ts';
import { asObject, oneOf, stringList } from '../vocabulary/option-checks.ts';
import { checkedValue } from '../vocabulary/option-kinds.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { Clock, Logger } from '../vocabulary/ports.ts';
import type { Store } from '../vocabulary/store-contract.ts';
import { type Duration, parseDuration } from '../vocabulary/units.ts';
import { type Codec, requireCountedKeys } from '../wire/codec.ts';
import {
  type ReportOption,
  unsafeReportAuthorization,
  unsafeReportHost,
  unsafeReportOrigin,
  unsafeReportTransport,
} from './policy.ts';

/** A duration of at least one tick, because connections are checked once a second. */
export const pause: Kind<Duration, number> = {
  type: 'Duration',
  read(value, option) {
    const milliseconds = parseDuration(value, option);
    if (milliseconds >= TICK) return milliseconds;
    throw new PolicyError(option, 'connections are looked at once a second', "Give at least '1s'.");
  },
};

/** How far a number may be from zero. */
export const magnitude: Kind<number> = {
  type: 'number',
  read(value, option) {
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
    throw new PolicyError(
      option,
      `${String(value)} is no finite number above zero`,
      'Give the largest magnitude.',
    );
  },
};

/** A multiplier of at least 1. */
export const factor: Kind<number> = checkedValue(
  'number',
  (value) => typeof value === 'number' && value >= 1 && Number.isFinite(value),
  'it is no factor of at least 1',
  'Give 2 to double each ban.',
);

export const authenticators: Kind<readonly Authenticator[]> = {
  type: 'Authenticator[]',
  read(value, option) {
    if (!Array.isArray(value) || value.length === 0) {
      throw new PolicyError(
        option,
        'nobody is asked who connects',
        'List authenticators such as jwt(…); anonymous() lets everybody in.',
      );
    }
    for (const entry of value) checkAuthenticator(entry, option);
    return value as readonly Authenticator[];
  },
};

function checkAuthenticator(entry: Partial<Authenticator> | null | undefined, option: string): void {
  const { from, authenticate, scheme } = entry ?? {};
  if (!Array.isArray(from) || typeof authenticate !== 'function')
    throw new PolicyError(option, 'an entry is no authenticator', 'Use jwt(…), custom(…) or anonymous().');
  if (!from.every(isCredentialSource)) {
    throw new PolicyError(
      option,
      `'${scheme}' looks for its credential in something that is no place`,
      'Use bearer(), cookie(name), subprotocol() or query(name).',
    );
  }
}

/** The messages that clients may send. `messageSettings` reads the types. */
export const messages: Kind<Readonly<Record<string, unknown>> | Passthrough> = checkedValue(
  '{ … } | Passthrough',
  (value) => typeof value === 'object' && value !== null,
  'it is missing',
  'List the messages by type, or say passthrough({ text: true }).',
);

/** A schema of any library. It is checked where it is compiled. */
export const schema: Kind<unknown> = { type: 'schema', read: (value) => value };

/** Who may send a type of message. */
export const messageRule: Kind<AuthorizeMessage | 'any'> = checkedValue(
  "function | 'any'",
  (value) => value === 'any' || typeof value === 'function',
  'it is neither a function nor any',
  "Give a function, or 'any'.",
);

/** Schemas by message type. They are checked where they are compiled. */
export const schemas: Kind<Readonly<Record<string, unknown>>> = {
  type: '{ … }',
  read: (value, option) => asObject(value, option),
};

export const origins: Kind<OriginsOption> = {
  type: 'string[] | OriginPredicate | unsafeAllowAnyOrigin',
  read(value, option) {
    if (value === '*') {
      throw new PolicyError(
        option,
        "'*' would let in every page",
        'List the origins, or use unsafeAllowAnyOrigin.',
      );
    }
    if (typeof value !== 'function' && value !== unsafeAllowAnyOrigin) stringList(value, option);
    return value as OriginsOption;
  },
};

/** The stages by their names in `report`. */
export const REPORTABLE: ReadonlyMap<unknown, string> = new Map<ReportOption, string>([
  ['rate', 'rate'],
  ['subprotocol', 'subprotocol'],
  ['message-rate', 'message-rate'],
  ['schema', 'schema'],
  ['sanitize', 'sanitize'],
  [unsafeReportTransport, 'transport'],
  [unsafeReportHost, 'host'],
  [unsafeReportOrigin, 'origin'],
  [unsafeReportAuthorization, 'authorization'],
]);

/** The option `report`, read as a set of stage names. */
export const stages: Kind<readonly ReportOption[], ReadonlySet<string>> = {
  type: 'ReportOption[]',
  read(value, option) {
    if (!Array.isArray(value)) throw new PolicyError(option, 'it is not a list', "Give ['schema'], say.");
    const other = value.findIndex((stage) => !REPORTABLE.has(stage));
    if (other === -1) return new Set(value.map((stage) => REPORTABLE.get(stage) as string));
    throw new PolicyError(
      option,
      `'${String(value[other])}' cannot only report`,
      "Use 'rate', 'subprotocol', 'message-rate', 'schema', 'sanitize', or unsafeReportTransport, unsafeReportHost, unsafeReportOrigin, unsafeReportAuthorization.",
    );
  },
};

export const codec: Kind<Codec> = {
  type: 'Codec',
  read(value, option) {
    const { contentType, frames, decode, encode, uniqueKeys = false } = asObject(value, option);
    const complete =
      typeof contentType === 'string' && typeof decode === 'function' && typeof encode === 'function';
    if (!complete) {
      throw new PolicyError(
        option,
        'it is no codec',
        "Give { contentType, frames: 'binary', decode, encode }.",
      );
    }
    oneOf(frames ?? null, ['text', 'binary'], `${option}.frames`);
    oneOf(uniqueKeys, [true, false], `${option}.uniqueKeys`);
    if (uniqueKeys === false) requireCountedKeys(value as Codec, option);
    return value as Codec;
  },
};

const STORE_OPERATIONS = [
  'precheck', 'charge', 'acquire', 'put', 'redeem', 'ban', 'unban', 'bans', 'revoke', 'subscribe', 'staleness', 'shares', 'ping',
] as const satisfies readonly (keyof Store)[]; // biome-ignore format: a list of names reads best as a block

export const store: Kind<Store> = {
  type: 'Store',
  read(value, option) {
    const given = asObject(value, option);
    const missing = STORE_OPERATIONS.find((operation) => typeof given[operation] !== 'function');
    if (missing === undefined) return value as Store;
    throw new PolicyError(
      option,
      `it has no '${missing}', so it is no store`,
      'Give redisStore(client), say, or leave it out for the memory of this process.',
    );
  },
};

export const logger: Kind<Logger> = {
  type: 'Logger',
  read(value, option) {
    if (typeof asObject(value, option).warn === 'function') return value as Logger;
    throw new PolicyError(option, "it has no 'warn', so it is no logger", 'Give pino(), say, or false.');
  },
};

export const clock: Kind<Clock> = {
  type: 'Clock',
  read(value, option) {
    const given = asObject(value, option);
    const missing = ['now', 'monotonic', 'schedule'].find((name) => typeof given[name] !== 'function');
    if (missing === undefined) return value as Clock;
    throw new PolicyError(
      option,
      `it has no '${missing}', so it is no clock`,
      "Leave it out for the machine's time.",
    );
  },
};

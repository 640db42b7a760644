import { refuseUnknown } from './option-checks.ts';
import { PolicyError } from './policy-error.ts';
import type { RateLimit } from './store-contract.ts';

/** Milliseconds as a number, or a number with its unit: `'250ms'`, `'10s'`, `'5m'`, `'12h'`, `'1d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** Bytes as a number, or a number with its unit: `'512B'`, `'16KiB'`, `'1MiB'`. */
export type Size = number | `${number}${'B' | 'KiB' | 'MiB'}`;

/** So many in a second, minute or hour: `'20/s'`. */
export type Rate = `${number}/${'s' | 'm' | 'h'}`;

/** So many bytes in a second, minute or hour: `'256KiB/s'`. */
export type ByteRate = `${number}${'B' | 'KiB' | 'MiB'}/${'s' | 'm' | 'h'}`;

/** A rate, and how many may come at once after a pause. The burst defaults to one second's worth, at least 1. */
export type RateOption = Rate | { readonly rate: Rate; readonly burst?: number };

/** A byte rate, and how many bytes may come at once after a pause. The burst defaults to one second's worth. */
export type ByteRateOption = ByteRate | { readonly rate: ByteRate; readonly burst?: Size };

const DURATION: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const SIZE: Readonly<Record<string, number>> = { B: 1, KiB: 1_024, MiB: 1_048_576 };

export function parseDuration(value: unknown, option: string): number {
  return parseQuantity(
    value,
    option,
    DURATION,
    /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/,
    "a duration such as '10s', or milliseconds",
  );
}

/** A duration in milliseconds that may be 0. */
export function parseWindow(value: unknown, option: string): number {
  return value === 0 ? 0 : parseDuration(value, option);
}

export function parseSize(value: unknown, option: string): number {
  const expected = "a size such as '16KiB', or bytes";
  const bytes = Math.floor(parseQuantity(value, option, SIZE, /^(\d+(?:\.\d+)?)(B|KiB|MiB)$/, expected));
  if (bytes === 0) throw notA(value, option, expected);
  return bytes;
}

export function parseCount(value: unknown, option: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw new PolicyError(
    option,
    `${show(value)} is not a whole number of at least 1`,
    'Give a positive whole number.',
  );
}

export function parseRate(value: unknown, option: string): RateLimit {
  const { rate, burst } = rateParts(value, option);
  const match = /^(\d+(?:\.\d+)?)\/(s|m|h)$/.exec(String(rate));
  return rateLimit(
    match?.[1],
    1,
    match?.[2],
    burst === undefined ? undefined : parseCount(burst, `${option}.burst`),
    () => notA(value, option, "a rate such as '20/s', or { rate: '20/s', burst: 40 }"),
  );
}

/** A number recovers by one every minute. A rate without a burst forgives at once as many as it names. */
export function parseBudget(value: unknown, option: string): RateLimit {
  if (typeof value === 'number') return { interval: 60_000, burst: parseCount(value, option) };
  const limit = parseRate(value, option);
  if (typeof value === 'object') return limit;
  return { ...limit, burst: Math.max(1, Math.floor(Number.parseFloat(String(value)))) };
}

export function parseByteRate(value: unknown, option: string): RateLimit {
  const { rate, burst } = rateParts(value, option);
  const match = /^(\d+(?:\.\d+)?)(B|KiB|MiB)\/(s|m|h)$/.exec(String(rate));
  return rateLimit(
    match?.[1],
    SIZE[match?.[2] ?? ''] ?? 0,
    match?.[3],
    burst === undefined ? undefined : parseSize(burst, `${option}.burst`),
    () => notA(value, option, "a byte rate such as '256KiB/s', or { rate: '256KiB/s', burst: '1MiB' }"),
  );
}

function rateParts(value: unknown, option: string): { rate: unknown; burst?: unknown } {
  if (typeof value !== 'object' || value === null) return { rate: value };
  refuseUnknown(value, ['rate', 'burst'], option);
  return value as { rate: unknown; burst?: unknown };
}

function rateLimit(
  amount: string | undefined,
  scale: number,
  per: string | undefined,
  burst: number | undefined,
  fail: () => PolicyError,
): RateLimit {
  const total = Number(amount) * scale;
  if (per === undefined || !(total > 0)) throw fail();
  const window = DURATION[per] ?? 0;
  return { interval: window / total, burst: burst ?? Math.max(1, Math.floor((total * 1_000) / window)) };
}

function parseQuantity(
  value: unknown,
  option: string,
  units: Readonly<Record<string, number>>,
  pattern: RegExp,
  expected: string,
): number {
  const match = typeof value === 'string' ? pattern.exec(value) : undefined;
  const amount = match ? Number(match[1]) * (units[match[2] ?? ''] ?? Number.NaN) : value;
  if (typeof amount !== 'number' || !Number.isFinite(amount) || amount <= 0)
    throw notA(value, option, expected);
  return amount;
}

function notA(value: unknown, option: string, expected: string): PolicyError {
  return new PolicyError(option, `${show(value)} is not ${expected}`, `Give ${expected}, above zero.`);
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

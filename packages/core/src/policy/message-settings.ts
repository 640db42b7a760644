import type { TypeSettings } from '../message/rules.ts';
import { isStandardSchema } from '../message/standard-schema.ts';
import { costOfSanitizers } from '../sanitize/sanitizer.ts';
import { readOnlyOptions } from '../vocabulary/option-table.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { RateLimit } from '../vocabulary/store-contract.ts';
import { MESSAGE_OPTIONS } from './options-table.ts';

/** The limits of the route, which those of a message type must not exceed. */
interface Room {
  /** Bytes. */
  readonly message: number;
  readonly messages: RateLimit;
}

/** Reads `policy.messages`. The value of a type is either a schema, or a rule with a schema and options. */
export function messageSettings(
  messages: Readonly<Record<string, unknown>>,
  limits: Room,
): ReadonlyMap<string, TypeSettings> {
  const types = new Map<string, TypeSettings>();
  for (const [name, entry] of Object.entries(messages)) {
    const option = `policy.messages.${name}`;
    const rule = isRule(entry) ? entry : { schema: bareSchema(entry, option) };
    const given = readOnlyOptions(MESSAGE_OPTIONS, rule, option);
    const settings = { ...given, cost: given.cost ?? defaultCost(given.schema, limits) };
    checkRoom(settings, limits, option);
    types.set(name, settings);
  }
  for (const [name, { after = [] }] of types) checkSteps(name, after, types);
  return types;
}

function defaultCost(schema: unknown, { messages }: Room): number {
  return isStandardSchema(schema) ? 1 : Math.min(costOfSanitizers(schema), messages.burst);
}

/** Refuses a schema with the options of a rule among its keywords, which would be ignored: `{ ...Schema, authorize }`. */
function bareSchema(entry: unknown, option: string): unknown {
  const own = typeof entry === 'object' || typeof entry === 'function' ? Object.entries(entry ?? {}) : [];
  for (const [name, value] of own) {
    // Schema objects of libraries may have methods with the same names.
    if (!Object.hasOwn(MESSAGE_OPTIONS, name) || (typeof value === 'function' && name !== 'authorize'))
      continue;
    throw new PolicyError(
      `${option}.${name}`,
      'it stands among the keywords of a schema, where it would be passed over',
      `Write { schema: …, ${name}: … }.`,
    );
  }
  return entry;
}

function checkRoom({ size, cost }: TypeSettings, { message, messages }: Room, option: string): void {
  if (size !== undefined && size > message) {
    throw new PolicyError(
      `${option}.size`,
      'it is above limits.message',
      'Raise limits.message, or lower it.',
    );
  }
  if (cost > messages.burst) {
    throw new PolicyError(
      `${option}.cost`,
      'it is above the burst of limits.messages, so that it could never be paid',
      'Raise limits.messages.burst, or lower it.',
    );
  }
}

function checkSteps(name: string, after: readonly string[], types: ReadonlyMap<string, TypeSettings>): void {
  const unknown = after.find((step) => step === name || !types.has(step));
  if (unknown === undefined) return;
  throw new PolicyError(
    `policy.messages.${name}.after`,
    `'${unknown}' is no other message of the policy`,
    'Name one that can be sent before.',
  );
}

/** Tells a rule, which is a plain object with a property `schema`, from a JSON Schema, which has a keyword `type`. */
function isRule(entry: unknown): boolean {
  return (
    typeof entry === 'object' &&
    entry !== null &&
    'schema' in entry &&
    !('~kind' in entry) &&
    !('~standard' in entry) &&
    !('type' in entry)
  );
}

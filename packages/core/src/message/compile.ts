import type { Check } from './check.ts';
import { type BodyCheck, compileReply, compileSchema, type SchemaOptions } from './schema.ts';
import { compileStandard, compileStandardReply } from './standard-check.ts';
import { isStandardSchema } from './standard-schema.ts';

export function compileCheck(schema: unknown, options: SchemaOptions): Check {
  return isStandardSchema(schema) ? compileStandard(schema, options) : compileSchema(schema, options);
}

export function compileBodyCheck(schema: unknown, type: string | undefined, option: string): BodyCheck {
  return isStandardSchema(schema)
    ? compileStandardReply(schema, { type, option })
    : compileReply(schema, { type, option });
}

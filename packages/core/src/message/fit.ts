import { Compile } from 'typebox/compile';
import { Check } from 'typebox/value';
import type { SchemaNode } from '../wire/envelope.ts';
import { ordered } from './ordered.ts';

export interface Fit {
  fits(value: unknown): boolean;
  /** Whether code could be generated; without it a check is some hundred times slower. */
  readonly accelerated: boolean;
}

/**
 * Without code generation, TypeBox 1.4.3 keeps what it has seen of one value for the next: a property that a
 * condition allows in one message would be allowed in all others. So each value gets a validator of its own.
 */
export function compileFit(schema: SchemaNode): Fit {
  const quick = ordered(schema);
  const compiled = Compile(quick as never);
  const accelerated = compiled.IsAccelerated();
  return {
    fits: accelerated ? (value) => compiled.Check(value) : (value) => Check(quick as never, value),
    accelerated,
  };
}

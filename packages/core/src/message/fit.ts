import { Compile } from 'typebox/compile';
import { Check } from 'typebox/value';
import type { SchemaNode } from '../wire/envelope.ts';
import { cutPointer } from './check.ts';

export interface Fit {
  fits(value: unknown): boolean;
  /** Where a value that does not fit is wrong: a JSON Pointer, never what stood there. */
  pointer(value: unknown): string;
  /** Whether code could be generated; without it a check is some hundred times slower. */
  readonly accelerated: boolean;
}

/**
 * Without code generation, TypeBox 1.4.3 keeps what it has seen of one value for the next: a property that a
 * condition allows in one message would be allowed in all others. So each value gets a validator of its own.
 */
export function compileFit(schema: SchemaNode): Fit {
  const compiled = Compile(schema as never);
  const accelerated = compiled.IsAccelerated();
  return {
    fits: accelerated ? (value) => compiled.Check(value) : (value) => Check(schema as never, value),
    pointer: (value) => pointerOf(compiled.Errors(value)[0]),
    accelerated,
  };
}

function pointerOf(error: { readonly keyword: string; readonly instancePath: string } | undefined): string {
  if (error === undefined) return '';
  const { keyword, instancePath } = error;
  // A property that must not be there: its name is content, too, so the object around it is told.
  const path = keyword === 'boolean' ? instancePath.slice(0, instancePath.lastIndexOf('/')) : instancePath;
  return cutPointer(path);
}

import type { AsyncApiDocument } from '@sallyport/core';
import { Ajv } from 'ajv';

/** Looks at messages as a reader of the document would: by JSON Schema draft-07, with a validator of its own. */
export function payloadsOf(document: AsyncApiDocument) {
  const ajv = new Ajv({ validateFormats: false, logger: false });
  // Around the payloads is what is no JSON Schema; in them, a keyword that draft-07 does not know is an error.
  ajv.addVocabulary(Object.keys(document));
  ajv.addSchema(document, 'document');
  const fits = (name: string, message: unknown): boolean => {
    const check = ajv.getSchema(`document#/components/messages/${name}/payload`);
    if (check === undefined) throw new Error(`There is no message '${name}'.`);
    return check(message) === true;
  };
  const sent = Object.values(document.operations)
    .filter(({ action }) => action === 'send')
    .flatMap(({ messages }) => messages.map(({ $ref }) => $ref.slice($ref.lastIndexOf('/') + 1)));
  return {
    fits,
    /** The messages of the server that this may be. */
    sentAs: (message: unknown) => sent.filter((name) => fits(name, message)),
  };
}

const OTHERS: readonly unknown[] = [null, true, 7, -1.5, 'x', [], {}, ['x'], { x: 1 }];

/** The message, and many that differ from it in one place: without a key, with one more, or with something else in it. */
export function variantsOf(message: unknown): unknown[] {
  const variants = [...OTHERS.filter((other) => other !== message), message];
  if (typeof message !== 'object' || message === null) return variants;
  for (const [key, inner] of Object.entries(message)) {
    for (const variant of variantsOf(inner)) variants.push(replaced(message, key, variant));
    if (!Array.isArray(message)) variants.push(without(message, key));
  }
  variants.push(Array.isArray(message) ? [...message, ...message] : { ...message, isAdmin: true });
  return variants;
}

function replaced(holder: object, key: string, value: unknown): unknown {
  const copy = Array.isArray(holder) ? [...holder] : { ...holder };
  (copy as Record<string, unknown>)[key] = value;
  return copy;
}

function without(holder: object, key: string): object {
  return Object.fromEntries(Object.entries(holder).filter(([name]) => name !== key));
}

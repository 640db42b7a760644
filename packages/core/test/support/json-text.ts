import fc from 'fast-check';

/** JSON as somebody who means harm writes it: any spelling of a value, and whether an object in it repeats a key. */
export interface JsonText {
  readonly text: string;
  readonly repeats: boolean;
}

const BLANKS = ['', '', '', ' ', '\n', '\t \r\n'];
/** Texts that look like the parts of JSON that a hasty reader looks for. */
const TRICKY = [
  '',
  'a',
  'b',
  ':',
  '":',
  '"',
  '\\',
  '\\"',
  '":"',
  '{"a":1',
  '\\\\',
  ' :',
  'a:b',
  'toString',
  'é',
];

/** Any value, spelled in any way, with now and then a key that its object has already. */
export function jsonText(): fc.Arbitrary<JsonText> {
  return fc.gen().map((g) => {
    let repeats = false;
    const pick = <T>(list: readonly T[]): T => list[g(fc.nat, { max: list.length - 1 })] as T;
    const blank = () => pick(BLANKS);
    const quote = (content: string) =>
      g(fc.boolean) ? JSON.stringify(content) : `"${[...content].map(escaped).join('')}"`;
    const member = (key: string, depth: number): string =>
      `${blank()}${quote(key)}${blank()}:${blank()}${value(depth - 1)}${blank()}`;
    function value(depth: number): string {
      switch (g(fc.nat, { max: depth > 0 ? 6 : 3 })) {
        case 0:
          return pick(['null', 'true', 'false']);
        case 1:
          return String(g(fc.integer, { min: -1_000, max: 1_000 }));
        case 2:
        case 3:
          return quote(pick(TRICKY));
        case 4: {
          const items = Array.from({ length: g(fc.nat, { max: 3 }) }, () => value(depth - 1));
          return `[${blank()}${items.join(`${blank()},${blank()}`)}${blank()}]`;
        }
        default:
          return object(depth);
      }
    }
    function object(depth: number): string {
      const keys = new Set(Array.from({ length: g(fc.nat, { max: 4 }) }, () => pick(TRICKY)));
      const written = [...keys];
      if (written.length > 0 && g(fc.nat, { max: 9 }) === 0) {
        repeats = true;
        written.splice(g(fc.nat, { max: written.length }), 0, pick(written));
      }
      return `{${written.map((key) => member(key, depth)).join(',')}${written.length === 0 ? blank() : ''}}`;
    }
    const text = `${blank()}${value(4)}${blank()}`;
    return { text, repeats };
  });
}

/** A character as its code units' escapes. */
function escaped(character: string): string {
  return character.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

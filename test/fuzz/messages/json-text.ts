import type { Random } from '../random.ts';
import { Odd, type Tree } from './tree.ts';

const SPACES = ['', '', '', ' ', '\n', '\t', '\r\n  '];

/** Writes JSON: plainly, or with white space, escapes and numbers as other encoders write them. */
export function jsonOf(tree: Tree, random: Random, plain: boolean): string {
  const space = (): string => (plain ? '' : random.pick(SPACES));
  const write = (inner: Tree): string => {
    if (typeof inner === 'string') return textOf(inner, random, plain);
    if (typeof inner === 'number') return numberOf(inner, random, plain);
    if (inner === null || typeof inner === 'boolean') return String(inner);
    if (inner instanceof Odd) return inner.json;
    // JSON has no bytes.
    if (inner instanceof Uint8Array) return `[${inner.join()}]`;
    let items = '';
    if (Array.isArray(inner)) {
      for (const item of inner) items += `${items === '' ? '' : ','}${space()}${write(item)}${space()}`;
      return `[${items}]`;
    }
    for (const [key, value] of inner.list) {
      const name = typeof key === 'string' ? textOf(key, random, plain) : key.json;
      items += `${items === '' ? '' : ','}${space()}${name}${space()}:${space()}${write(value)}`;
    }
    return `{${items}${space()}}`;
  };
  return space() + write(tree) + space();
}

/** Writes some numbers in another spelling. */
function numberOf(value: number, random: Random, plain: boolean): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  if (plain || value === 0 || !Number.isInteger(value) || text.includes('e') || random.chance(0.5))
    return text;
  return random.pick([`${text}.0`, `${text}e0`, `${text}0E-1`, `${text}.000e+00`]);
}

/** Writes some texts with characters that are escaped without need, or in another form. */
function textOf(value: string, random: Random, plain: boolean): string {
  const text = JSON.stringify(value);
  if (plain || value === '' || random.chance(0.6)) return text;
  const at = random.below(value.length);
  const [before, unit, after] = [value.slice(0, at), value[at] as string, value.slice(at + 1)];
  const code = unit.charCodeAt(0).toString(16).padStart(4, '0');
  const escaped =
    unit === '/' && random.chance(0.5) ? '\\/' : `\\u${random.chance(0.5) ? code : code.toUpperCase()}`;
  return JSON.stringify(before).slice(0, -1) + escaped + JSON.stringify(after).slice(1);
}

/** The same key in an escaped spelling. */
export function escapedKey(key: string): string {
  return `"${[...key].map((unit, i) => (i === 0 ? escapeFirst(unit) : JSON.stringify(unit).slice(1, -1))).join('')}"`;
}

function escapeFirst(character: string): string {
  return [...Array(character.length).keys()]
    .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
    .join('');
}

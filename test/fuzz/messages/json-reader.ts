/** The value of a JSON text (RFC 8259). */
export interface Reading {
  readonly value: unknown;
  /** Whether an object in it has a repeated key, even an object that a later repeated key replaces. */
  readonly repeats: boolean;
}

/** The tokens of RFC 8259, as sticky regular expressions. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those that a string may not hold
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const WORDS: Readonly<Record<string, unknown>> = { true: true, false: false, null: null };
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** An open array or object. */
interface Open {
  readonly list: unknown[] | undefined;
  readonly object: object | undefined;
  key: string | undefined;
}

/** What must come next. */
type Place = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end' | 'nothing';

/**
 * A JSON reader that is independent of `JSON.parse`, notices repeated keys, and does not recurse. Returns `undefined` if the text
 * is no JSON.
 */
export function readJson(text: string): Reading | undefined {
  const reader = new Reader(text);
  while (reader.place !== 'nothing') if (!reader.take(reader.next())) return undefined;
  return reader.next() === '' ? reader : undefined;
}

class Reader implements Reading {
  value: unknown;
  repeats = false;
  place: Place = 'value';
  #at = 0;
  readonly #open: Open[] = [];

  constructor(readonly text: string) {}

  /** The next syntax character, or the first character of a token; empty at the end. */
  next(): string {
    while (isSpace(this.text.charCodeAt(this.#at))) this.#at++;
    return this.text.charAt(this.#at);
  }

  /** Reads what begins with this character. Returns whether it is allowed here. */
  take(sign: string): boolean {
    const isInList = this.#open.at(-1)?.list !== undefined;
    switch (this.place) {
      case 'value':
      case 'value or end':
        if (sign === ']') return this.place === 'value or end' && this.#end();
        return this.#takeValue(sign);
      case 'key':
      case 'key or end':
        if (sign === '"') return this.#name(this.#token(STRING));
        return sign === '}' && this.place === 'key or end' && this.#end();
      case 'colon':
        this.#at++;
        this.place = 'value';
        return sign === ':';
      default:
        if (sign === (isInList ? ']' : '}')) return this.#end();
        this.#at++;
        this.place = isInList ? 'value' : 'key';
        return sign === ',';
    }
  }

  #takeValue(sign: string): boolean {
    if (sign === '[') return this.#begin({ list: [], object: undefined, key: undefined });
    if (sign === '{') return this.#begin({ list: undefined, object: {}, key: undefined });
    if (sign === '"') {
      const string = this.#token(STRING);
      return string !== undefined && this.#put(unescaped(string));
    }
    const word = sign >= 'a' ? this.#token(WORD) : undefined;
    if (word !== undefined) return this.#put(WORDS[word]);
    const numeral = this.#token(NUMBER);
    return numeral !== undefined && this.#put(Number(numeral));
  }

  #token(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.text)) return undefined;
    const start = this.#at;
    this.#at = pattern.lastIndex;
    return this.text.slice(start, this.#at);
  }

  #put(value: unknown): true {
    const holder = this.#open.at(-1);
    if (holder === undefined) this.value = value;
    else if (holder.list !== undefined) holder.list.push(value);
    // An assignment to `__proto__` would set the prototype.
    else if (holder.key === '__proto__') Object.defineProperty(holder.object, holder.key, { ...OWN, value });
    else (holder.object as Record<string, unknown>)[holder.key as string] = value;
    this.place = holder === undefined ? 'nothing' : 'comma or end';
    return true;
  }

  #begin(holder: Open): true {
    this.#at++;
    this.#put(holder.list ?? holder.object);
    this.#open.push(holder);
    this.place = holder.list === undefined ? 'key or end' : 'value or end';
    return true;
  }

  #end(): true {
    this.#at++;
    this.#open.pop();
    this.place = this.#open.length === 0 ? 'nothing' : 'comma or end';
    return true;
  }

  #name(string: string | undefined): boolean {
    if (string === undefined) return false;
    const key = unescaped(string);
    const holder = this.#open.at(-1) as Open;
    if (Object.hasOwn(holder.object as object, key)) this.repeats = true;
    holder.key = key;
    this.place = 'colon';
    return true;
  }
}

const OWN = { enumerable: true, configurable: true, writable: true };

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** The text between the quotes. */
function unescaped(string: string): string {
  const raw = string.slice(1, -1);
  if (!raw.includes('\\')) return raw;
  return raw.replace(/\\(?:u(.{4})|(.))/g, (_all, hex: string | undefined, letter: string) =>
    hex === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/**
 * How header fields are read: byte by byte, as RFC 9110 §5.6 writes them down. Node hands a byte above 0x7F over as one
 * character, and JavaScript's own `trim`, `\s` and `toLowerCase` know characters among those that no grammar here does.
 */

const SPACE = 0x20;
const TAB = 0x09;

/** Without the optional white space at both ends: spaces and tabs, nothing else (RFC 9110 §5.6.3). */
export function withoutBlanks(text: string): string {
  const start = blanksFrom(text, 0);
  const end = start === text.length ? start : blanksBefore(text, text.length);
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** Where the spaces and tabs end that begin at this place. */
export function blanksFrom(text: string, place: number): number {
  let end = place;
  while (isBlank(text.charCodeAt(end))) end++;
  return end;
}

/** Where the spaces and tabs begin that end at this place. */
export function blanksBefore(text: string, place: number): number {
  let start = place;
  while (isBlank(text.charCodeAt(start - 1))) start--;
  return start;
}

/** The entries of a comma-separated list, or `undefined` where there are more than `most`: it is not read to its end then. */
export function listEntries(value: string, most: number): readonly string[] | undefined {
  const entries = value.split(',', most + 1);
  return entries.length > most ? undefined : entries.map(withoutBlanks);
}

/** The letters A to Z in lower case, and every other character as it is. */
export function lowerCase(text: string): string {
  return /[\u0080-\uffff]/.test(text)
    ? text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    : text.toLowerCase();
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

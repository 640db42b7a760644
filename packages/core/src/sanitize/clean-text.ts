import { characterAt, SUSPECT, SUSPECT_BUT_LINES } from './characters.ts';
import { MAX_MARKS, Surroundings } from './surroundings.ts';

export interface Cleaning {
  /** Whether line feeds and tabs are kept, and other line ends become line feeds. */
  readonly lines: boolean;
  /** Whether suspicious characters are removed. Otherwise they refuse the text. */
  readonly removes: boolean;
}

const LINE_ENDS = /\r\n?|[\u2028\u2029]/g;
const TOO_MANY_MARKS = new RegExp(`\\p{M}{${MAX_MARKS + 1}}`, 'u');
/**
 * The first round cleans and the second finds nothing. Only misplaced marks between removed characters need a third.
 */
const ROUNDS = 4;

/**
 * Removes what a reader cannot see, and normalizes to form C. The result passes unchanged through another call; a
 * text that never settles is refused.
 */
export function cleanText(text: string, { lines, removes }: Cleaning): string | undefined {
  let current = lines ? text.replace(LINE_ENDS, '\n') : text;
  for (let round = 0; round < ROUNDS; round++) {
    const kept = withoutSuspects(current, lines ? SUSPECT_BUT_LINES : SUSPECT);
    if (!removes && kept.length < current.length) return undefined;
    const normal = kept.normalize('NFC');
    if (normal === current) return current;
    current = normal;
  }
  return undefined;
}

function withoutSuspects(text: string, suspect: RegExp): string {
  if (!suspect.test(text) && !TOO_MANY_MARKS.test(text)) return text;
  const surroundings = new Surroundings();
  let kept = '';
  let from = 0;
  for (let at = 0; at < text.length; ) {
    const char = characterAt(text, at);
    const width = suspect.test(char)
      ? surroundings.admit(text, at, char)
      : surroundings.take(char)
        ? char.length
        : 0;
    if (width > 0) {
      at += width;
      continue;
    }
    kept += text.slice(from, at);
    at += char.length;
    from = at;
  }
  return from === 0 ? text : kept + text.slice(from);
}

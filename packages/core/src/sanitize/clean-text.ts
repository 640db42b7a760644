import { characterAt, SUSPECT, SUSPECT_BUT_LINES } from './characters.ts';
import { MAX_MARKS, Surroundings } from './surroundings.ts';

export interface Cleaning {
  /** Whether line feeds and tabs are kept, and other ways to end a line turned into line feeds. */
  readonly lines: boolean;
  /** Whether what is suspicious is removed. Otherwise it refuses the text. */
  readonly removes: boolean;
}

const LINE_ENDS = /\r\n?|[\u2028\u2029]/g;
const TOO_MANY_MARKS = new RegExp(`\\p{M}{${MAX_MARKS + 1}}`, 'u');
/** One round cleans, the next finds nothing; only marks in odd orders, parted by what is removed, take a third. */
const ROUNDS = 4;

/**
 * A text without what its reader cannot see, in normalization form C. What is returned comes out of this function as it
 * is, since that is what the last round has seen; a text that does not settle is refused.
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

import {
  characterAt,
  IDEOGRAPH,
  JOINING,
  KEYCAP_BASE,
  MARK,
  MONGOLIAN_LETTER,
  PICTOGRAPH,
  SKIN_TONE,
  SUSPECT,
  UNSPACED,
  VARIED_SYMBOL,
} from './characters.ts';

/**
 * UAX #15 §13, Stream-Safe Text Format. No language needs more marks, and normalizing a longer run takes quadratic
 * time.
 */
export const MAX_MARKS = 30;

/** England, Scotland and Wales: the only emoji flags with tag characters (UTS #51, RGI). */
const FLAGS = ['gbeng', 'gbsct', 'gbwls'].map((region) =>
  String.fromCodePoint(...[...region].map((letter) => 0xe0000 + letter.charCodeAt(0)), 0xe007f),
);
const BLACK_FLAG = '\u{1f3f4}';
const KEYCAP = '\u20e3';

const ZERO_WIDTH_SPACE = 0x200b;
const NON_JOINER = 0x200c;
const JOINER = 0x200d;

/**
 * The kept text, as far as it decides about the next character. Invisible characters are kept where Unicode puts
 * them, one at a time: a run of them can smuggle text past a reader.
 */
export class Surroundings {
  #last = '';
  /** The last character that is no mark. */
  #base = '';
  #marks = 0;
  /** Whether a picture precedes, with its variation selector and skin tone. */
  #picture = false;

  /** Accepts an ordinary character, unless it is one combining mark too many. */
  take(char: string): boolean {
    if (MARK.test(char)) {
      if (this.#marks === MAX_MARKS) return false;
      this.#marks++;
    } else {
      this.#base = char;
      this.#marks = 0;
    }
    this.#picture = PICTOGRAPH.test(char) || (this.#picture && SKIN_TONE.test(char));
    this.#last = char;
    return true;
  }

  /** How many UTF-16 units may stay here, beginning with a suspect one; 0 for none. */
  admit(text: string, at: number, char: string): number {
    const flag = this.#last === BLACK_FLAG ? FLAGS.find((tags) => text.startsWith(tags, at)) : undefined;
    if (flag === undefined && !this.#isAtHome(char, characterAt(text, at + char.length))) return 0;
    this.#picture &&= char === '\ufe0f';
    this.#last = char;
    return flag?.length ?? char.length;
  }

  #isAtHome(char: string, next: string): boolean {
    const point = char.codePointAt(0) ?? 0;
    if (point === JOINER && this.#picture && PICTOGRAPH.test(next)) return true;
    if (point === JOINER || point === NON_JOINER) return this.#joins(point, next);
    if (point === ZERO_WIDTH_SPACE)
      return !SUSPECT.test(this.#last) && UNSPACED.test(this.#base) && UNSPACED.test(next);
    if (point >= 0xfe00 && point <= 0xfe0f) return this.#varies(point, next);
    // Ideographic variation sequences (UTS #37) distinguish names of people and places.
    if (point >= 0xe0100 && point <= 0xe01ef) return IDEOGRAPH.test(this.#last);
    if (point === 0x180e) return MONGOLIAN_LETTER.test(this.#base) && MONGOLIAN_LETTER.test(next);
    return point >= 0x180b && point <= 0x180f && MONGOLIAN_LETTER.test(this.#last);
  }

  /** Between letters. At the end of a word, a joiner shows a form, and a non-joiner a virama. */
  #joins(point: number, next: string): boolean {
    if (SUSPECT.test(this.#last) || !JOINING.test(this.#base)) return false;
    if (point === JOINER || this.#marks > 0) return true;
    return JOINING.test(next) || (MARK.test(next) && !SUSPECT.test(next));
  }

  #varies(point: number, next: string): boolean {
    if (point === 0xfe0e || point === 0xfe0f) {
      return PICTOGRAPH.test(this.#last) || (next === KEYCAP && KEYCAP_BASE.test(this.#last));
    }
    if (IDEOGRAPH.test(this.#last)) return point <= 0xfe02;
    return point === 0xfe00 && VARIED_SYMBOL.test(this.#last);
  }
}

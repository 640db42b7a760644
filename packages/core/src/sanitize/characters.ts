/**
 * Classes of characters by their Unicode properties, as the Unicode of the running Node has them. Characters that it
 * does not know yet belong to none, and pass: new emoji do not wait for a new Node.
 */

/**
 * What nobody sees, or what makes text look other than it is: controls, lone surrogates, noncharacters, bidirectional
 * controls (CVE-2021-42574), zero-width, tag and other default-ignorable characters, variation selectors, interlinear
 * annotation, line and paragraph separators. Some of them are at home somewhere; `Surroundings` knows where.
 */
export const SUSPECT =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\ufff9-\ufffb]/u;

/** The same where lines may be broken and tabs set. */
export const SUSPECT_BUT_LINES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls but tab and line feed are what it looks for
  /[\0-\x08\x0b-\x1f\x7f-\x9f\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\ufff9-\ufffb]/u;

export const MARK = /^\p{M}/u;

/** Pictures that a variation selector, a skin tone or a joiner may follow. Digits and flag letters are none. */
export const PICTOGRAPH = /^\p{Extended_Pictographic}/u;
export const SKIN_TONE = /^\p{Emoji_Modifier}/u;
export const KEYCAP_BASE = /^[0-9#*]/;

export const IDEOGRAPH = /^\p{Unified_Ideograph}/u;
/** Symbols and letters of which Unicode standardizes variants with the first variation selector. */
export const VARIED_SYMBOL = /^(?:\p{Sm}|(?=\p{L})[\p{Script=Myanmar}\p{Script=Phags_Pa}])/u;
export const MONGOLIAN_LETTER = /^(?=\p{L})\p{Script=Mongolian}/u;

/** Letters and signs of scripts that write with the zero-width joiner and non-joiner: the cursive and the Indic ones. */
export const JOINING = new RegExp(
  `^(?=[\\p{L}\\p{M}])[${[
    'Adlam Arabic Chorasmian Hanifi_Rohingya Mandaic Manichaean Mongolian Nko Phags_Pa Psalter_Pahlavi Sogdian Syriac',
    'Balinese Bengali Brahmi Chakma Devanagari Grantha Gujarati Gurmukhi Javanese Kaithi Kannada Kharoshthi Khmer',
    'Khojki Lepcha Limbu Malayalam Meetei_Mayek Modi Myanmar Newa Oriya Saurashtra Sharada Siddham Sinhala Sundanese',
    'Syloti_Nagri Tai_Tham Takri Tamil Telugu Tibetan Tirhuta',
  ]
    .flatMap((line) => line.split(' '))
    .map((script) => `\\p{Script_Extensions=${script}}`)
    .join('')}]`,
  'u',
);

/** Letters of scripts that write no spaces, and part words by a zero-width one. */
export const UNSPACED = /^(?=[\p{L}\p{M}])[\p{Script=Khmer}\p{Script=Lao}\p{Script=Myanmar}\p{Script=Thai}]/u;

/** The character at an offset, or nothing beyond the end. */
export function characterAt(text: string, at: number): string {
  const point = text.codePointAt(at);
  return point === undefined ? '' : String.fromCodePoint(point);
}

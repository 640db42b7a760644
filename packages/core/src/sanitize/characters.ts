/** Classes of characters by the Unicode version of the running Node. Newer characters belong to no class and pass. */

/**
 * Characters that nobody sees or that make a text look different: controls, lone surrogates, noncharacters,
 * bidirectional controls (CVE-2021-42574), zero-width, tag and other default-ignorable characters, variation
 * selectors, line and paragraph separators. `Surroundings` knows where a language needs some of them.
 */
export const SUSPECT =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\ufff9-\ufffb]/u;

/** The same, with tab and line feed allowed. */
export const SUSPECT_BUT_LINES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for controls other than tab and line feed
  /[\0-\x08\x0b-\x1f\x7f-\x9f\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\ufff9-\ufffb]/u;

export const MARK = /^\p{M}/u;

/** Pictures that a variation selector, a skin tone or a joiner may follow. Digits and flag letters are excluded. */
export const PICTOGRAPH = /^\p{Extended_Pictographic}/u;
export const SKIN_TONE = /^\p{Emoji_Modifier}/u;
export const KEYCAP_BASE = /^[0-9#*]/;

export const IDEOGRAPH = /^\p{Unified_Ideograph}/u;
/** Symbols and letters with standardized variants for the first variation selector. */
export const VARIED_SYMBOL = /^(?:\p{Sm}|(?=\p{L})[\p{Script=Myanmar}\p{Script=Phags_Pa}])/u;
export const MONGOLIAN_LETTER = /^(?=\p{L})\p{Script=Mongolian}/u;

/** Scripts that use the zero-width joiner and non-joiner: the cursive and the Indic ones. */
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

/** Scripts that write no spaces and separate words by a zero-width one. */
export const UNSPACED = /^(?=[\p{L}\p{M}])[\p{Script=Khmer}\p{Script=Lao}\p{Script=Myanmar}\p{Script=Thai}]/u;

export function characterAt(text: string, at: number): string {
  const point = text.codePointAt(at);
  return point === undefined ? '' : String.fromCodePoint(point);
}

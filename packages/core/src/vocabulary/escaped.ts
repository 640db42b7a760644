/**
 * Characters that could end a line of a log, drive a terminal or hide text from its reader: controls (C0 and C1), separators of
 * lines and paragraphs, and invisible ones, those that turn the direction of writing (CVE-2021-42574) and surrogates included.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const EVERY_ONE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The text with each of these characters written as JSON escapes it: `\u000a` (OWASP ASVS 5.0, 16.4.1). */
export function escaped(text: string): string {
  return UNPRINTABLE.test(text) ? text.replace(EVERY_ONE, inHex) : text;
}

function inHex(character: string): string {
  let units = '';
  for (let i = 0; i < character.length; i++)
    units += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return units;
}

import { describe, expect, test } from '@jest/globals';
import { parseHtml } from '../../src/sanitize/html-parser.ts';

const fill = (part: string) => part.repeat(65_536 / part.length);
const nested = (depth: number, tag = 'b') => `<${tag}>`.repeat(depth);

describe('refused, and at once', () => {
  // Without a bound the first of these takes 18 s, and those that are nested overflow the stack.
  test.each([
    [
      'formatting that is opened again in every block',
      `<p>${Array.from({ length: 1_000 }, (_, i) => `<b a=${i}>`).join('')}</p>${'<p>x'.repeat(1_000)}`,
    ],
    ['elements in elements', fill('<b>')],
    ['blocks in blocks', fill('<div>')],
    ['lists in lists', fill('<ul><li>')],
    ['quotes in quotes', fill('<blockquote>')],
    ['tables in tables', fill('<table><td>')],
    ['SVG in SVG', fill('<svg>')],
    ['templates in templates', nested(100, 'template')],
    ['formatting around paragraphs', fill('<b><p></b>')],
    ['formatting inside of tables', fill('<table><b>')],
    ['links in links', fill('<a><p>')],
    ['many elements', fill('<br>')],
    ['ends of paragraphs that were not begun', fill('</p>')],
    ['many comments', fill('<!---->')],
    ['many attributes', `<b ${Array.from({ length: 10_000 }, (_, i) => `a${i}`).join(' ')}>`],
  ])('markup that unfolds without bound is refused quickly: %s', (_name, text) => {
    expect(parseHtml(text)).toBeUndefined();
  });
});

describe('read, and at once', () => {
  test.each([
    ['ampersands', fill('&')],
    ['entities', fill('&CounterClockwiseContourIntegral;')],
    ['angle brackets', fill('<')],
    ['a comment that does not end', fill('<!--')],
    ['ends of what was not begun', fill('</b>')],
    ['ends of what was begun', `${nested(60)}<p>${fill('</b>')}`],
    ['texts outside of the cells of a table', `<table>${fill('</b>x')}`],
  ])('long markup is parsed quickly: %s', (_name, text) => {
    expect(parseHtml(text)).toBeDefined();
  });
});

test('markup nested 64 deep is parsed, and deeper markup is refused', () => {
  expect(parseHtml(`${nested(63)}x`)).toBeDefined();
  expect(parseHtml(`${nested(64)}x`)).toBeUndefined();
  expect(parseHtml(nested(64))).toBeDefined();
  expect(parseHtml(nested(65))).toBeUndefined();
});

test('markup with 2,000 elements, attributes and comments is parsed, and more is refused', () => {
  expect(parseHtml('<br>'.repeat(1_990))?.children).toHaveLength(1_990);
  expect(parseHtml('<br>'.repeat(2_001))).toBeUndefined();
  expect(parseHtml('<br a>'.repeat(995))).toBeDefined();
  expect(parseHtml('<br a>'.repeat(1_001))).toBeUndefined();
  expect(parseHtml('<!-- -->'.repeat(1_990))).toBeDefined();
  expect(parseHtml('<!-- -->'.repeat(2_001))).toBeUndefined();
});

test('markup is parsed as the content of an element', () => {
  expect(parseHtml('<td>a</td></p>')?.children).toEqual([
    { type: 'text', value: 'a' },
    { type: 'element', tagName: 'p', properties: {}, children: [] },
  ]);
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type DefaultTreeAdapterTypes, parse, parseFragment } from 'parse5';
import { scriptPayloads } from '../../../../test/support/script-payloads.ts';
import { type SafeHtmlOptions, safeHtml } from '../../src/sanitize/safe-html.ts';
import { sanitize } from '../../src/sanitize/sanitize.ts';
import { hostileText } from '../support/hostile-text.ts';

type ParsedNode = DefaultTreeAdapterTypes.Node;

const everything: SafeHtmlOptions = {
  tags: (
    'a abbr b bdi blockquote br caption cite code dd del details dfn div dl dt em figcaption figure h1 hr i img ins kbd ' +
    'li mark ol p pre q rp rt ruby s samp small span strong sub summary sup table tbody td tfoot th thead time tr u ul ' +
    'var wbr'
  ).split(' '),
  attributes: {
    '*': ['title', 'lang', 'dir', 'datetime', 'open', 'reversed', 'start', 'type', 'value'],
    img: ['width', 'height'],
    td: ['colspan', 'rowspan'],
    th: ['scope'],
  },
};
const plain = safeHtml();
const rich = safeHtml(everything);
const clean = (text: string, options?: SafeHtmlOptions) => sanitize(safeHtml(options), text);

/** What a browser finds in the markup that is not allowed, where it stands in a page. */
function dangers(markup: string, { tags, attributes }: SafeHtmlOptions): string[] {
  const found: string[] = [];
  const visit = (node: ParsedNode): void => {
    if (node.nodeName === '#comment') found.push('a comment');
    if ('tagName' in node) {
      if (!tags?.includes(node.tagName)) found.push(`<${node.tagName}>`);
      if (node.namespaceURI !== 'http://www.w3.org/1999/xhtml') found.push(`<${node.tagName}> elsewhere`);
      for (const { name, value } of node.attrs) {
        const own = { a: ['href', 'rel'], img: ['src', 'alt'] }[node.tagName] ?? [];
        const named = [...(attributes?.['*'] ?? []), ...(attributes?.[node.tagName] ?? [])];
        if (![...own, ...named].includes(name)) found.push(`${name} of <${node.tagName}>`);
        if (name === 'href' && !/^(?:https?:\/\/[^/@\s]+\/\S*|mailto:\S*)$/.test(value)) found.push(value);
        if (name === 'src' && !/^https?:\/\//.test(value)) found.push(value);
      }
      if (node.nodeName === 'a' && node.attrs.some(({ name }) => name === 'href')) {
        const rel = node.attrs.find(({ name }) => name === 'rel')?.value;
        if (rel !== 'nofollow noopener noreferrer') found.push('a link without rel');
      }
    }
    if ('content' in node) visit(node.content);
    if ('childNodes' in node) node.childNodes.forEach(visit);
  };
  const page = parse(`<!DOCTYPE html><title>x</title><div id=here>${markup}</div>`, {
    scriptingEnabled: true,
  });
  const body = page.childNodes.flatMap((node) => ('childNodes' in node ? node.childNodes : [])).at(-1);
  const [here, ...rest] = body !== undefined && 'childNodes' in body ? body.childNodes : [];
  if (rest.length > 0) found.push('something outside');
  if (here !== undefined && 'childNodes' in here) here.childNodes.forEach(visit);
  // In `innerHTML`, and in a page without scripts, it must be the same.
  parseFragment(markup, { scriptingEnabled: false }).childNodes.forEach(visit);
  return found;
}

const plainOptions = { tags: 'a b blockquote br code em i li ol p pre s strong u ul'.split(' ') };

describe('kept as it is', () => {
  test.each([
    'hello',
    'a > b, "c" and \'d\'',
    '<b>bold</b> <i>italic</i> <em>a</em> <strong>b</strong> <u>c</u> <s>d</s>',
    '<p>one<br>two</p><p>three</p>',
    '<ul><li>one</li><li>two<ol><li>three</li></ol></li></ul>',
    '<blockquote><p>quoted</p></blockquote>',
    '<pre><code>if (a &lt; b &amp;&amp; c) {\n\treturn;\n}</code></pre>',
    '<a href="https://example.com/?a=1&amp;b=2" rel="nofollow noopener noreferrer">x</a>',
    '<a href="mailto:a@example.com" rel="nofollow noopener noreferrer">x</a>',
    '<b>Größe</b>: 日本語, می\u200cخواهم 👨‍👩‍👧‍👦',
    '&amp;lt;b&amp;gt;',
    '<pre>\n\na</pre>',
  ])('allowed markup passes unchanged: %j', (markup) => {
    expect(clean(markup)).toBe(markup);
    expect(dangers(markup, plainOptions)).toEqual([]);
  });
});

describe('mended', () => {
  const rel = 'rel="nofollow noopener noreferrer"';
  test.each([
    ['a & b < c', 'a &amp; b &lt; c'],
    ['I <3 you', 'I &lt;3 you'],
    ['<B>bold', '<b>bold</b>'],
    ['<b><i>x</b>y</i>', '<b><i>x</i></b><i>y</i>'],
    ['<p>one<p>two', '<p>one</p><p>two</p>'],
    ['&eacute;&nbsp;&copy;', 'é\xa0©'],
    ['e\u0301', 'é'],
    // Around what is kept
    ['<div><h1>x</h1><b>y</b></div>', 'x<b>y</b>'],
    ['<b class=x id=y style=color:red title=z>a</b>', '<b>a</b>'],
    ['<font color=red>x</font>', 'x'],
    ['<o:p>x</o:p>', 'x'],
    ['<img src="https://example.com/pixel.gif">', ''],
    // With what is in it
    ['a<script>b</script>c', 'ac'],
    ['a<style>b</style>c', 'ac'],
    ['a<!-- b -->c', 'ac'],
    ['a<!DOCTYPE html>c', 'ac'],
    ['a<svg><text>b</text></svg>c', 'ac'],
    ['a<math><mi>b</mi></math>c', 'ac'],
    ['a<textarea>b</textarea>c', 'ac'],
    ['a<select><option>b</select>c', 'ac'],
    ['a<template>b</template>c', 'ac'],
    // Links
    ['<a href=https://example.com>x</a>', `<a href="https://example.com/" ${rel}>x</a>`],
    ['<a href=" HTTPS://EXAMPLE.com/a b ">x</a>', '<a>x</a>'],
    ['<a href=" HTTPS://EXAMPLE.com/ü ">x</a>', `<a href="https://example.com/%C3%BC" ${rel}>x</a>`],
    [
      '<a href="https://example.com/" rel=opener target=_blank>x</a>',
      `<a href="https://example.com/" ${rel}>x</a>`,
    ],
    ['<a href=/logout>x</a>', '<a>x</a>'],
    ['<a href=//evil.example>x</a>', '<a>x</a>'],
    ['<a href=#top>x</a>', '<a>x</a>'],
    ['<a href=https://user@example.com>x</a>', '<a>x</a>'],
    ['<a href=tel:+49>x</a>', '<a>x</a>'],
    [`<a href=https://example.com/${'a'.repeat(2_048)}>x</a>`, '<a>x</a>'],
    [`<a href=https://example.com/${'ü'.repeat(500)}>x</a>`, '<a>x</a>'],
    // Texts
    ['a&#x202e;b\u202ec&ZeroWidthSpace;d', 'abcd'],
    ['<b>a&#0;&#27;\x1b\0</b>', '<b>a\ufffd</b>'],
    ['a\r\nb\tc&#13;d', 'a\nb\tc\nd'],
    ['a\ud800b', 'ab'],
    ['👩&zwj;🚀 me&zwj;me', '👩\u200d🚀 meme'],
    ['<span>e</span>\u0301', 'é'],
    ['می<span>\u200c</span>خواهم', 'می\u200cخواهم'],
    // Normalized after, it would leave the tag open.
    ['<b>\u0338 x</b>', '<b> x</b>'],
    ['>\u0338', '≯'],
    // A line feed that parsers drop
    ['<pre>\na</pre>', '<pre>a</pre>'],
    ['<pre><span>\n</span>a</pre>', '<pre>\n\na</pre>'],
    // What changes when it is read again
    ['<a><table><a>x</a></table></a>', '<a></a><a>x</a>'],
    ['<p.x>a<p.y>b</p.y></p.x>', '<p>a</p><p>b</p><p></p>'],
  ])('%j is sanitized', (text, markup) => {
    expect(clean(text)).toBe(markup);
    expect(clean(markup)).toBe(markup);
  });
});

describe('options', () => {
  test('tags and attributes allow further elements and attributes', () => {
    const text =
      '<h1>a</h1><b>b</b><ol start=3 reversed type=A><li value=2>c</ol><ol start=x type=square></ol><abbr title="d\u202e" class=e>f</abbr>';
    expect(
      clean(text, {
        tags: ['h1', 'ol', 'li', 'abbr'],
        attributes: { ol: ['start', 'type', 'reversed'], '*': ['title'] },
      }),
    ).toBe('<h1>a</h1>b<ol start="3" reversed type="A"><li>c</li></ol><ol></ol><abbr title="d">f</abbr>');
  });
  test('tables are kept with all their parts or not at all', () => {
    const options = {
      tags: ['table', 'tr', 'td', 'th'],
      attributes: { td: ['colspan', 'rowspan'], th: ['scope'] },
    };
    const table = '<table><tr><th scope="row">a</th><td colspan="2">b</td></tr></table>';
    expect(clean(table, options)).toBe(table);
    expect(clean('<tr><td>a</td></tr>', options)).toBe('a');
    expect(clean('<table><tr><td>a</td></tr></table>', { tags: ['td'] })).toBe('a');
    expect(clean('<table><tr><td colspan=1000 rowspan=65534>a</td></tr></table>', options)).toBe(
      '<table><tr><td>a</td></tr></table>',
    );
  });
  test('images are kept if their URL is on the Web', () => {
    const options = { tags: ['img'], attributes: { img: ['width'] } };
    expect(clean('<img src=https://example.com/a.png alt="a" width=10 height=10 onerror=x>', options)).toBe(
      '<img src="https://example.com/a.png" alt="a" width="10">',
    );
    for (const src of ['data:image/svg+xml,<svg/>', '/logout', 'javascript:alert(1)', 'file:///a'])
      expect(clean(`<img src='${src}'>`, options)).toBe('<img>');
  });
  test('links keep only the allowed schemes', () => {
    const links = { links: ['https:', 'tel:'] } as const;
    expect(clean('<a href=http://example.com/>x</a>', links)).toBe('<a>x</a>');
    expect(clean('<a href=mailto:a@example.com>x</a>', links)).toBe('<a>x</a>');
    expect(clean('<a href=tel:+49>x</a>', links)).toBe(
      '<a href="tel:+49" rel="nofollow noopener noreferrer">x</a>',
    );
  });
  test('lengths count the result', () => {
    expect(clean('<b>a</b>', { maxLength: 8 })).toBe('<b>a</b>');
    expect(clean('<b>a</b>', { maxLength: 7 })).toBeUndefined();
    expect(clean('<b>a', { maxLength: 7 })).toBeUndefined();
    expect(clean('&&&', { maxLength: 14 })).toBeUndefined();
    expect(clean('<b>😀</b>', { maxLength: 8 })).toBe('<b>😀</b>');
    expect(clean('<font>a</font>', { maxLength: 4 })).toBe('a');
    expect(clean('<font>abc</font>', { maxLength: 4 })).toBe('abc');
    // More than four times as long: unread.
    expect(clean('<font >abc</font>', { maxLength: 4 })).toBeUndefined();
    expect(clean('<i></i>', { minLength: 8 })).toBeUndefined();
    expect(clean('<img>', { minLength: 1 })).toBeUndefined();
    expect(clean('a'.repeat(10_000))).toHaveLength(10_000);
    expect(clean('a'.repeat(10_001))).toBeUndefined();
    expect(Object.fromEntries(Object.entries(safeHtml({ minLength: 1, maxLength: 2 })))).toEqual({
      type: 'string',
      minLength: 1,
      maxLength: 2,
    });
  });
});

describe('of markup that runs a script, nothing is left that could:', () => {
  test.each(
    scriptPayloads.map((payload) => [payload.length > 200 ? `…${payload.slice(-200)}` : payload, payload]),
  )('markup that runs a script is made harmless: %s', (_shown, payload) => {
    for (const [schema, options] of [
      [plain, plainOptions],
      [rich, everything],
    ] as const) {
      for (const text of [
        payload,
        `<b>${payload}</b>`,
        `<a href="${payload}">x</a>`,
        `<b title='${payload}'>x</b>`,
      ]) {
        const markup = sanitize(schema, text);
        if (markup === undefined) continue;
        expect(dangers(markup, options)).toEqual([]);
        expect(sanitize(schema, markup)).toBe(markup);
      }
    }
  });
  test('the list of script payloads is long and without duplicates', () => {
    expect(new Set(scriptPayloads).size).toBe(scriptPayloads.length);
    expect(scriptPayloads.length).toBeGreaterThan(150);
  });
  test('each script payload is dangerous, unless it is for another context', () => {
    const harmless = scriptPayloads.filter((payload) => dangers(payload, plainOptions).length === 0);
    // Encoded ones, ones for attributes and templates, and ones for elements that a page has once.
    expect(harmless.length).toBeLessThan(20);
  });
});

test('property: only allowed markup comes out, and sanitizing it again changes nothing', () => {
  const part = fc.oneof(
    fc.constantFrom(
      ...'<b> </b> <i> <p> </p> <a> </a> <table> <tr> <td> </td> </table> <pre> <li> <ol> <h1>'.split(' '),
    ),
    fc.constantFrom(
      ...'<svg> </svg> <math> <mtext> <mglyph> <style> </style> <!-- --> <script> </script>'.split(' '),
    ),
    fc.constantFrom(
      ...'<form> <select> <template> </template> <noscript> <title> <textarea> <svg><desc>'.split(' '),
    ),
    fc.constantFrom(
      '<a href="https://a.b/">',
      '<a href="javascript:alert(1)">',
      '<b title="',
      '">',
      '<img src=x onerror=',
    ),
    fc.constantFrom(
      '<dl><dt>',
      '<ruby><rt>',
      '<nobr>',
      '<button>',
      '<br/>',
      '</br>',
      '\n',
      '&lt;',
      '&#x202e;',
      '<?',
      '</',
    ),
    hostileText,
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 25 }), (parts) => {
      const text = parts.join('');
      for (const [schema, options] of [
        [plain, plainOptions],
        [rich, everything],
      ] as const) {
        const markup = sanitize(schema, text);
        if (markup === undefined) continue;
        expect(dangers(markup, options)).toEqual([]);
        expect(sanitize(schema, markup)).toBe(markup);
        expect(markup.normalize('NFC')).toBe(markup);
        expect(markup).not.toMatch(/[\p{Bidi_Control}\p{Cs}]/u);
      }
    }),
    { numRuns: 1_000 },
  );
});

describe('a mistake in the options throws:', () => {
  const dangerous = [
    ...[
      'script',
      'style',
      'iframe',
      'object',
      'embed',
      'applet',
      'svg',
      'math',
      'template',
      'noscript',
      'base',
      'link',
    ],
    ...[
      'meta',
      'form',
      'input',
      'button',
      'textarea',
      'select',
      'title',
      'xmp',
      'noembed',
      'noframes',
      'plaintext',
    ],
    ...[
      'video',
      'audio',
      'canvas',
      'bdo',
      'marquee',
      'html',
      'body',
      'frameset',
      'my-element',
      'B',
      '*',
      '#text',
      '',
    ],
  ];
  test.each(dangerous)('safeHtml() with the element %j throws a PolicyError', (tag) => {
    expect(() => safeHtml({ tags: ['b', tag] })).toThrow(
      expect.objectContaining({ name: 'PolicyError', option: 'safeHtml({ tags })' }),
    );
  });
  test.each([
    ...[
      'onclick',
      'onerror',
      'ONLOAD',
      'srcdoc',
      'style',
      'class',
      'id',
      'name',
      'is',
      'slot',
      'formaction',
      'action',
    ],
    ...[
      'href',
      'src',
      'srcset',
      'xlink:href',
      'target',
      'ping',
      'background',
      'data-x',
      'data*',
      'aria-label',
      '*',
    ],
    ...[
      'className',
      'constructor',
      '__proto__',
      'popover',
      'contenteditable',
      'tabindex',
      'autofocus',
      'rel',
      '',
    ],
  ])('safeHtml() with the attribute %j throws a PolicyError', (name) => {
    for (const tag of ['*', 'a', 'b'])
      expect(() => safeHtml({ attributes: { [tag]: [name] } })).toThrow(/no attribute that only describes/);
  });
  test.each([
    [{ tag: ['b'] }, /safeHtml\(\{ tag \}\).*Did you mean 'tags'\?/],
    [{ tags: [] }, /tags.*empty/],
    [{ tags: 'b' }, /tags.*not a list/],
    [{ attributes: [] }, /attributes.*not an object/],
    [{ attributes: { td: ['colspan'] } }, /'td'.*not among the tags/],
    [{ attributes: { b: 'title' } }, /'b'.*not a list/],
    [{ links: ['javascript:'] }, /links.*'javascript:' is no scheme/],
    [{ links: ['https'] }, /links.*'https' is no scheme/],
    [{ links: [] }, /links.*empty/],
    [{ maxLength: 0 }, /maxLength.*at least 1/],
  ])('safeHtml(%j) throws a PolicyError', (options, message) => {
    expect(() => safeHtml(options as SafeHtmlOptions)).toThrow(message);
  });
});

import type { Element, ElementContent, Root, RootContent } from 'hast';
import { toHtml } from 'hast-util-to-html';
import { canonicalUrl } from './canonical-url.ts';
import { cleanText } from './clean-text.ts';

const MAX_URL = 2_048;
const IMAGE_PROTOCOLS = ['https:', 'http:'];
/** Normalizing would join it to a `>` before it, which would leave the tag open. */
const LEADING_SOLIDUS = /^\u0338+/;

/** Writes a tree of allowed elements, with clean texts and checked links. */
export function writeHtml(tree: Root, linkProtocols: readonly string[]): string {
  return toHtml(
    { type: 'root', children: finish(tree.children, linkProtocols) },
    { characterReferences: { useNamedReferences: true } },
  );
}

/** Texts on both sides of a removed element become one text and are cleaned together. */
function finish<Content extends RootContent | ElementContent>(
  nodes: readonly Content[],
  linkProtocols: readonly string[],
): Content[] {
  const finished: Content[] = [];
  for (const node of nodes) {
    const last = finished.at(-1);
    if (node.type === 'text' && last?.type === 'text') last.value += node.value;
    else finished.push(node);
  }
  for (const node of finished) {
    if (node.type === 'text') node.value = clean(node.value, true).replace(LEADING_SOLIDUS, '');
    if (node.type === 'element') finishElement(node, linkProtocols);
  }
  return finished;
}

function finishElement(element: Element, linkProtocols: readonly string[]): void {
  const { properties, tagName } = element;
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'string') properties[name] = clean(value, false);
  }
  if (tagName === 'img') keepUrl(element, 'src', IMAGE_PROTOCOLS);
  if (tagName === 'a' && keepUrl(element, 'href', linkProtocols))
    properties.rel = ['nofollow', 'noopener', 'noreferrer'];
  element.children = finish(element.children, linkProtocols);
  const [first] = element.children;
  // Parsers drop the first line feed of a `pre`.
  if (tagName === 'pre' && first?.type === 'text' && first.value.startsWith('\n'))
    first.value = `\n${first.value}`;
}

/** Whether a URL is left, in canonical form. */
function keepUrl({ properties }: Element, name: 'href' | 'src', protocols: readonly string[]): boolean {
  const href = canonicalUrl(String(properties[name] ?? '').trim(), protocols)?.href;
  if (href !== undefined && href.length <= MAX_URL) properties[name] = href;
  else delete properties[name];
  return properties[name] !== undefined;
}

function clean(text: string, lines: boolean): string {
  return cleanText(text, { lines, removes: true }) ?? '';
}

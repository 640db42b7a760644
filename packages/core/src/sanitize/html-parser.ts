import type { Root } from 'hast';
import { fromParse5 } from 'hast-util-from-parse5';
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, html, parseFragment } from 'parse5';

/**
 * Bounds elements, attributes and comments. Unclosed elements are opened again in every block after them, so 13 KB
 * can become a million elements, which takes 18 s.
 */
const MAX_NODES = 2_000;
/** The functions on the tree are recursive, and browsers flatten what is deeper than 512. */
const MAX_DEPTH = 64;

class TooMuchMarkup extends Error {}

/**
 * Parses the text as the content of an element, as a browser does. `undefined` if the tree is too large or too deep.
 */
export function parseHtml(text: string): Root | undefined {
  try {
    const body = defaultTreeAdapter.createElement('body', html.NS.HTML, []);
    const fragment = parseFragment(body, text, { treeAdapter: boundedAdapter(), scriptingEnabled: false });
    return isShallow(fragment) ? (fromParse5(fragment) as Root) : undefined;
  } catch (error) {
    if (error instanceof TooMuchMarkup) return undefined;
    throw error;
  }
}

function boundedAdapter(): typeof defaultTreeAdapter {
  let left = MAX_NODES;
  const spend = (nodes: number): void => {
    left -= nodes;
    if (left < 0) throw new TooMuchMarkup();
  };
  return {
    ...defaultTreeAdapter,
    createElement(tagName, namespace, attributes) {
      spend(1 + attributes.length);
      return defaultTreeAdapter.createElement(tagName, namespace, attributes);
    },
    createCommentNode(data) {
      spend(1);
      return defaultTreeAdapter.createCommentNode(data);
    },
  };
}

function isShallow(fragment: DefaultTreeAdapterTypes.DocumentFragment): boolean {
  const rest: [node: DefaultTreeAdapterTypes.Node, depth: number][] = [[fragment, 0]];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const [node, depth] = next;
    if (depth > MAX_DEPTH) return false;
    if ('childNodes' in node) for (const child of node.childNodes) rest.push([child, depth + 1]);
    // The content of a template is a separate tree.
    if ('content' in node) rest.push([node.content, depth + 1]);
  }
  return true;
}

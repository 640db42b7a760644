import { PolicyError } from '@sallyport/core';

/** Whether an upgrade of this path, without the query, is meant. */
export type MatchPath = (path: string) => boolean;

/**
 * Reads the path of a ws server. Paths are compared exactly, so a text that no client can ask for, or that is meant as a pattern,
 * would never match.
 *
 * @throws PolicyError that says what to write instead.
 */
export function matchPath(path: unknown, option: string): MatchPath {
  if (typeof path === 'function') return path as MatchPath;
  const refuse = (problem: string, fix: string): never => {
    throw new PolicyError(option, problem, fix);
  };
  if (path instanceof RegExp) refuse('it is a regular expression', `Write (path) => ${path}.test(path).`);
  if (typeof path !== 'string') return refuse('it is neither a text nor a function', "Write '/chat'.");
  if (path === '*' || path === '/*') refuse('it is no pattern', 'Leave it out for every path.');
  if (!path.startsWith('/'))
    refuse(`'${path}' begins with no slash, so that nothing would match`, `Write '/${afterHost(path)}'.`);
  if (/[*{}]|\/:|\/\(|\(.*\)/.test(path))
    refuse(
      `'${path}' is a pattern, and paths are compared exactly`,
      `Write a function: (path) => /${pattern(path)}/.test(path).`,
    );
  const asked = new URL(`http://localhost${path}`).pathname;
  if (asked !== path)
    refuse(`no client asks for '${path}', so that nothing would match`, `Write '${asked}'.`);
  return (other) => other === path;
}

/** The path of what was written with a host, as in `localhost/chat` or `ws://localhost/chat`. */
function afterHost(path: string): string {
  return path.replace(/^(wss?|https?):\/\/[^/]*\/?/, '');
}

/** A first draft of the regular expression that was meant. */
function pattern(path: string): string {
  const parts = path
    .split('/')
    .map((part) => (/[:*{}()]/.test(part) ? '[^/]+' : part.replace(/[.+?^$|\\[\]]/g, '\\$&')));
  return `^${parts.join('\\/')}$`;
}

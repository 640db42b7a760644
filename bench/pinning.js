// Which core runs what: the servers, of which one works at a time, have one for themselves, and the load has another.
import { execFileSync } from 'node:child_process';

/** The cores that a list of `taskset` names, such as `0-2,5`. */
export function coresOf(list) {
  return list
    .trim()
    .split(',')
    .flatMap((part) => {
      const [first, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}

/**
 * Pins this process, all its threads included, to one of its cores. Resolves which core is left for the servers, or why
 * nothing could be pinned, with a line that says so.
 *
 * @param {(...words: string[]) => string} [taskset] runs it, and gives what it prints
 * @returns {{ server: number | undefined, said: string }}
 */
export function pinLoad(taskset = run) {
  try {
    const list = taskset('-cp', `${process.pid}`).split(': ').at(-1);
    const [server, load] = coresOf(list);
    if (load === undefined) return unpinned('this process may use one core only');
    taskset('-acp', `${load}`, `${process.pid}`);
    return { server, said: `Servers are pinned to core ${server}, the load generator to core ${load}.` };
  } catch (error) {
    return unpinned(error.code === 'ENOENT' ? 'there is no taskset here' : error.message.split('\n')[0]);
  }
}

function unpinned(why) {
  return { server: undefined, said: `Nothing is pinned to a core: ${why}. Expect wider spreads.` };
}

function run(...words) {
  return execFileSync('taskset', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

// The working tree beside an earlier revision. It reports and does not judge: whether a difference matters, a reader decides.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { commitOf, withBase } from './base.js';
import { Contender } from './contender.js';
import { contest } from './contest.js';
import { fromForeignOrigin, withIdle, withKnownToken, withNewTokens } from './handshakes.js';
import { LABELS } from './messages.js';
import { ratios, spread } from './statistics.js';
import { Talk } from './talk.js';
import { signToken } from './token.js';

/** Servers that are compared, each with itself at the other revision. */
const SERVERS = ['guard', 'guard-fastify', 'guard-express'];

/**
 * Resolves with the report. Each side runs the servers of its own `bench/servers`, which fit its own interface; the load is
 * the working tree's for both.
 *
 * @param {string} revision
 * @param {{ rounds: number, warmUp: number, handshakes: number, messageRounds: number, slice: number }} effort `handshakes`
 *   is how many a round has, `slice` is in milliseconds
 * @param {(what: string) => void} progress
 */
export async function against(revision, effort, progress) {
  const commit = commitOf(revision);
  progress(`building ${revision}`);
  return withBase(commit, async (directory) => {
    const token = await signToken();
    const rows = [];
    const missing = [];
    for (const server of SERVERS) {
      if (!existsSync(join(directory, 'bench/servers', `${server}.js`))) {
        missing.push(server);
        continue;
      }
      for (const shape of ['echo', 'reply'])
        rows.push(...(await compared(server, shape, directory, token, effort, progress)));
    }
    return againstText({ revision, commit, effort, rows, missing });
  });
}

async function compared(server, shape, directory, token, effort, progress) {
  const { rounds, warmUp, handshakes, messageRounds, slice } = effort;
  const contenders = [];
  try {
    contenders.push(await Contender.start(server, shape, { name: 'tree' }));
    const program = join(directory, 'bench/server.js');
    contenders.push(await Contender.start(server, shape, { name: 'base', program }));
    const rows = [];
    const add = (what, measured) => {
      const [tree, base] = ['tree', 'base'].map((name) => measured.get(name).cpu);
      rows.push({
        what: `${LABELS[server]}: ${what}`,
        tree: spread(tree),
        base: spread(base),
        ratio: spread(ratios(tree, base)),
      });
    };
    for (const inFlight of [20, 1]) {
      progress(`${server}, ${shape}, ${inFlight} in flight`);
      const talk = new Talk({ token, connections: 50, inFlight, slice });
      add(`${shape}, ${inFlight} in flight`, await contest(contenders, talk.work, messageRounds));
      talk.end();
    }
    if (shape === 'echo') {
      const kinds = [
        ['a token seen before', withKnownToken(token, handshakes)],
        ['a token of its own', await withNewTokens(handshakes, rounds + warmUp)],
        ['refused for its origin', fromForeignOrigin(token, handshakes)],
      ];
      for (const [what, work] of kinds) {
        progress(`${server}, handshakes, ${what}`);
        add(
          `handshake, ${what}`,
          await withIdle(contenders, token, () => contest(contenders, work, rounds, warmUp)),
        );
      }
    }
    return rows;
  } finally {
    for (const contender of contenders) contender.end();
  }
}

/** The comparison as Markdown. A ratio below 1 says that the working tree uses less CPU. */
export function againstText({ revision, commit, effort, rows, missing }) {
  const lines = rows.map(
    ({ what, tree, base, ratio }) =>
      `| ${what} | ${tree.median.toFixed(1)} µs | ${base.median.toFixed(1)} µs | **${ratio.median.toFixed(2)}** (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)}) |`,
  );
  const leftOut = missing.map((server) => `Left out, since ${revision} has no such server: ${server}.\n`);
  return `# The working tree beside ${revision} (${commit.slice(0, 12)})

CPU of the server for one operation, in turn in the same run: ${effort.rounds} rounds of ${effort.handshakes} handshakes,
${effort.messageRounds} of ${effort.slice} ms of messages. A ratio is the median of the rounds, in brackets the 10th and 90th percentile;
below 1 the working tree uses less. Nothing is judged: a ratio whose brackets include 1 says nothing by itself.

| work | working tree | ${revision} | ratio |
|---|---|---|---|
${lines.join('\n')}
${leftOut.length === 0 ? '' : `\n${leftOut.join('')}`}`;
}

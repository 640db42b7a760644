// The report as Markdown: first what was promised, then everything that was measured.
import { cpus, totalmem } from 'node:os';
import { LABELS } from './messages.js';

/** What a quick look does not say. */
const LEFT_OUT = `
**This is a look.** It leaves out how cost grows with open connections, message types and receivers of a broadcast, the memory of an
idle connection, and a million addresses. Its rounds are few and begin before all code is compiled, so that handshakes cost more than
in a full run and a target may be missed by chance. \`npx -y pnpm@10 bench\` measures everything.
`;

/** @param {any} results of a run; a quick one has nothing of growth and memory */
export function report({
  effort,
  quick,
  targets,
  tables,
  handshakes,
  traffic,
  pinned,
  own,
  dearestHandshake,
  dearestMessage,
  connections,
  types,
  memory,
  broadcast,
  million,
}) {
  return `# What the guard costs
${quick ? LEFT_OUT : ''}
Every server runs in a process of its own and is given slices of ${effort.slice} ms in turn with all others, ${effort.rounds} times, on
loopback, with 50 connections. Ratios are medians over the rounds of each slice against its own round's counterpart, in brackets
the 10th and 90th percentile. CPU is that of the server for one operation. Every answer is counted, and compared. The first
${number(effort.warmUp * effort.handshakes)} handshakes of a server do not count: code is compiled after some ten thousand. The targets are judged by three runs in a row. Handshakes have
${effort.handshakeRounds} rounds of ${effort.handshakes}, while one idle connection is open on every server. ${pinned}

Node ${process.version}, ${cpus()[0].model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB. Written by
\`npx -y pnpm@10 bench\`.

## Targets

| work | target | measured | the runs before | |
|---|---|---|---|---|
${targets.map(targetLine).join('\n')}
${missedText(targets)}
## Messages

${tables.map(messageTable).join('\n\n')}

## Handshakes

${handshakes.map(handshakeTable).join('\n\n')}

### What a handshake allocates

| handshake, a token seen before | bytes allocated | bytes promoted |
|---|---|---|
${traffic.map(({ what, allocated, promoted }) => `| ${what} | ${spreadText(allocated, 0)} | ${spreadText(promoted, 0)} |`).join('\n')}

## Refusals made to be dear

Handshakes that are filled up with 15,000 bytes of one kind, and refused:

| handshake | CPU | of an ordinary refused one |
|---|---|---|
${dearestHandshake.rows.map(({ name, cost, ratio }) => `| ${name} | ${cost.median.toFixed(0)} µs | ${spreadText(ratio)} |`).join('\n')}

Messages within the default limits, with one mistake at their end. "Refuse" and "strip" are \`unknownProperties\`:

| message | accepted | refused | refused, of the dearest accepted one |
|---|---|---|---|
${dearestMessage.rows.map(({ name, accepted, cost, ratio }) => `| ${name} | ${microseconds(accepted)} | ${microseconds(cost)} | ${spreadText(ratio)} |`).join('\n')}

${quick ? '' : `${growthText({ connections, types, memory, broadcast, million })}\n\n`}One message in the core: ${Math.round(own.whole.median)} ns, of which \`JSON.parse\` ${Math.round(own.parse.median)} ns.
`;
}

function growthText({ connections, types, memory, broadcast, million }) {
  return `## Growth

| open connections | CPU of a message | of that with the fewest |
|---|---|---|
${connections.map(growthLine).join('\n')}

| message types | CPU of a message | of that with the fewest |
|---|---|---|
${types.map(growthLine).join('\n')}

| open connections | ${memory.map(({ name }) => LABELS[name]).join(' | ')} |
|---|${memory.map(() => '---|').join('')}
${memory[0].points.map(([count], i) => `| ${number(count)} | ${memory.map(({ points }) => `${number(Math.round(points[i][1]))} bytes`).join(' | ')} |`).join('\n')}

| receivers of a broadcast | \`guard.broadcast\`, CPU for each | a loop of \`ws.send\` | of the loop |
|---|---|---|---|
${broadcast.map(({ count, guard, loop, ratio }) => `| ${number(count)} | ${guard.toFixed(2)} µs | ${loop.toFixed(2)} µs | ${spreadText(ratio)} |`).join('\n')}

| known addresses | a handshake in the core |
|---|---|
${million.points.map(([count, cost]) => `| ${number(count)} | ${cost.toFixed(1)} µs |`).join('\n')}

After ${number(million.points.at(-1)[0])} distinct addresses the guard held ${(million.bytes / 2 ** 20).toFixed(1)} MiB more than before.`;
}

function isMet({ least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY }, value) {
  return value >= least && value <= most;
}

/** In this run and those before it. */
function runsOf({ got, runs = [got.median] }) {
  return runs;
}

function targetLine(target) {
  const { what, unit, got, least, most, digits = 2 } = target;
  const runs = runsOf(target);
  const before = runs.slice(0, -1).map((value) => value.toFixed(digits));
  const met = runs.filter((value) => isMet(target, value)).length;
  const verdict = met === runs.length ? 'met' : met === 0 ? '**missed**' : `met in ${met} of ${runs.length}`;
  const bound = least === undefined ? `≤ ${most.toFixed(digits)}` : `≥ ${least.toFixed(digits)}`;
  return `| ${what} | ${bound} ${unit} | ${spreadText(got, digits)} | ${before.join(', ')} | ${verdict} |`;
}

/** By how much, in the worst of the runs, what was tried, and what stands in the way. */
function missedText(targets) {
  const missed = targets.filter((target) => runsOf(target).some((value) => !isMet(target, value)));
  if (missed.length === 0) return '';
  const byFloor = new Map();
  for (const target of missed) byFloor.set(target.floor, [...(byFloor.get(target.floor) ?? []), target]);
  const parts = [...byFloor].map(([floor = '', some]) => `${some.map(missedBy).join('\n')}\n\n${floor}\n`);
  return `\n### What is missed, and why\n\n${parts.join('\n')}`;
}

function missedBy(target) {
  const { what, least, most } = target;
  const runs = runsOf(target);
  const bound = least ?? most;
  const worst = least === undefined ? Math.max(...runs) : Math.min(...runs);
  return `- ${what}: by ${Math.round((Math.abs(worst - bound) / bound) * 100)} % at worst`;
}

function messageTable({ shape, inFlight, rows }) {
  const title = shape === 'echo' ? 'The same bytes back' : 'A typed reply';
  return `### ${title}, ${inFlight} in flight

| server | CPU | messages in a second | of bare ws | answer, median | 99th percentile |
|---|---|---|---|---|---|
${rows
  .map(
    ({ name, cpu, rate, ofBare, p50, p99 }) =>
      `| ${LABELS[name]} | ${cpu.median.toFixed(1)} µs | ${number(Math.round(rate.median))} | ${spreadText(ofBare)} | ${p50.toFixed(2)} ms | ${p99.toFixed(2)} ms |`,
  )
  .join('\n')}`;
}

function handshakeTable({ what, rows }) {
  return `### ${what[0].toUpperCase()}${what.slice(1)}

| server | CPU | of an accepted one of bare ws |
|---|---|---|
${rows.map(({ name, cpu, ofBare }) => `| ${LABELS[name]} | ${cpu.median.toFixed(0)} µs (${cpu.low.toFixed(0)} to ${cpu.high.toFixed(0)}) | ${spreadText(ofBare)} |`).join('\n')}`;
}

function microseconds({ median }) {
  return `${number(Math.round(median / 1_000))} µs`;
}

function growthLine({ count, cpu, ratio }) {
  return `| ${number(count)} | ${cpu.toFixed(1)} µs | ${spreadText(ratio)} |`;
}

function spreadText({ low, median, high }, digits = 2) {
  const range = low === undefined ? '' : ` (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
  return `**${median.toFixed(digits)}**${range}`;
}

function number(value) {
  return value.toLocaleString('en');
}

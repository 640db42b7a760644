// Which plots there are, from what was measured.
import { LABELS } from './messages.js';
import { bars, curves } from './plots.js';

export function plotsOf({ tables, handshakes, connections, types, memory }) {
  const plots = {};
  for (const { shape, inFlight, rows } of tables) {
    const what = `${shape === 'echo' ? 'the same bytes back' : 'a typed reply'}, ${inFlight} in flight`;
    plots[`throughput-${shape}-${inFlight}`] = bars({
      title: `Thousand messages in a second: ${what}`,
      unit: 'k/s',
      rows: rows.map(({ name, rate }) => row(name, rate, 1_000)),
    });
    plots[`latency-${shape}-${inFlight}`] = bars({
      title: `Milliseconds to the answer, median and up to the 99th percentile: ${what}`,
      unit: 'ms',
      digits: 2,
      rows: rows.map(({ name, p50, p99 }) => ({ ...row(name, { median: p50, low: p50, high: p99 }, 1) })),
    });
  }
  const [known] = handshakes;
  plots.handshake = bars({
    title: 'Microseconds of CPU for a handshake with a token seen before',
    unit: 'µs',
    digits: 0,
    rows: known.rows.map(({ name, cpu }) => row(name, cpu, 1)),
  });
  plots.connections = curves({
    title: 'CPU of a message by open connections',
    x: 'open connections',
    y: 'µs',
    series: [{ name: LABELS.guard, points: connections.map(({ count, cpu }) => [count, cpu]) }],
  });
  plots.types = curves({
    title: 'CPU of a message by message types',
    x: 'message types of the policy',
    y: 'µs',
    series: [{ name: LABELS.guard, points: types.map(({ count, cpu }) => [count, cpu]) }],
  });
  plots.memory = curves({
    title: 'Memory of an idle connection',
    x: 'open connections',
    y: 'KiB',
    digits: 2,
    series: memory.map(({ name, points }) => ({
      name: LABELS[name],
      points: points.map(([count, bytes]) => [count, bytes / 1_024]),
    })),
  });
  return plots;
}

function row(name, { median, low, high }, scale) {
  return {
    label: LABELS[name],
    value: median / scale,
    low: low / scale,
    high: high / scale,
    own: name.startsWith('guard'),
  };
}

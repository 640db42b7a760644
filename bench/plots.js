// Plots as SVG, drawn by hand: a chart library would be the largest dependency of the project. Colours are told by the reader's
// theme, so that they can be read on a dark page, too.

const WIDTH = 760;
const STYLE = `<style>
text { font: 13px system-ui, sans-serif; fill: #24292f; } .small { font-size: 11px; fill: #57606a; } .title { font-weight: 600; }
.bar { fill: #8c959f; } .own { fill: #0969da; } .line { fill: none; stroke-width: 2; } .axis { stroke: #8c959f; } .spread { stroke: #24292f; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .small { fill: #9198a1; } .spread { stroke: #e6edf3; } }
</style>`;
const COLOURS = ['#0969da', '#8c959f', '#bf3989', '#1a7f37'];

/** Horizontal bars, with the spread of each as a thin line. `own` rows stand out. */
export function bars({ title, unit, rows, digits = 1 }) {
  const [top, height, left, right] = [40, 26, 250, 110];
  const most = Math.max(...rows.map(({ high, value }) => high ?? value));
  const x = (value) => left + (value / most) * (WIDTH - left - right);
  const lines = rows.map(({ label, value, low, high, own }, i) => {
    const y = top + i * height;
    const middle = y + height / 2 - 2;
    const range =
      low === undefined
        ? ''
        : `<line class="spread" x1="${at(x(low))}" x2="${at(x(high))}" y1="${middle}" y2="${middle}"/>`;
    return `<text x="${left - 8}" y="${y + 15}" text-anchor="end">${escaped(label)}</text>
<rect class="${own ? 'own' : 'bar'}" x="${left}" y="${y}" width="${at(x(value) - left)}" height="${height - 6}"/>${range}
<text x="${at(x(high ?? value) + 8)}" y="${y + 15}">${value.toFixed(digits)} ${escaped(unit)}</text>`;
  });
  return svg(title, top + rows.length * height + 10, lines);
}

/** Lines over a logarithmic x axis: each series is a name and its points, `[x, y]`. */
export function curves({ title, x: xLabel, y: yLabel, series, digits = 1 }) {
  const [top, bottom, left, right, height] = [44, 50, 64, 24, 320];
  const all = series.flatMap(({ points }) => points);
  const [from, to] = [Math.min(...all.map(([value]) => value)), Math.max(...all.map(([value]) => value))];
  const most = 1.1 * Math.max(...all.map(([, value]) => value));
  const x = (value) => left + (Math.log(value / from) / Math.log(to / from)) * (WIDTH - left - right);
  const y = (value) => height - bottom - (value / most) * (height - bottom - top);
  const marks = [...new Set(all.map(([value]) => value))].map(
    (value) =>
      `<text class="small" x="${at(x(value))}" y="${height - bottom + 18}" text-anchor="middle">${value.toLocaleString('en')}</text>`,
  );
  const levels = [0, 0.5, 1].map(
    (share) =>
      `<text class="small" x="${left - 8}" y="${at(y((share * most) / 1.1) + 4)}" text-anchor="end">${((share * most) / 1.1).toFixed(digits)}</text>`,
  );
  const drawn = series.map(({ name, points }, i) => {
    const path = points.map(([a, b]) => `${at(x(a))},${at(y(b))}`).join(' ');
    const dots = points.map(
      ([a, b]) => `<circle cx="${at(x(a))}" cy="${at(y(b))}" r="3" fill="${COLOURS[i]}"/>`,
    );
    const [lastX, lastY] = points.at(-1);
    const name_ = `<text x="${at(x(lastX))}" y="${at(y(lastY) - 9)}" text-anchor="end">${escaped(name)}</text>`;
    return `<polyline class="line" stroke="${COLOURS[i]}" points="${path}"/>${dots.join('')}${name_}`;
  });
  const axes = `<line class="axis" x1="${left}" x2="${WIDTH - right}" y1="${height - bottom}" y2="${height - bottom}"/>
<text class="small" x="${(left + WIDTH - right) / 2}" y="${height - 12}" text-anchor="middle">${escaped(xLabel)}</text>
<text class="small" x="${left - 8}" y="${top - 8}" text-anchor="end">${escaped(yLabel)}</text>`;
  return svg(title, height, [axes, ...marks, ...levels, ...drawn]);
}

function svg(title, height, content) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">
${STYLE}
<text class="title" x="12" y="22">${escaped(title)}</text>
${content.join('\n')}
</svg>
`;
}

function at(value) {
  return value.toFixed(1);
}

function escaped(text) {
  return String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

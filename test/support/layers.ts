import { importsOf, layerOf, nodeOf, packageOf, resolve, type Sources } from './architecture.ts';

/** Boxes and arrows, by rows: what imports stands above what it imports. */
export interface Graph {
  readonly title: string;
  readonly rows: readonly { readonly label: string; readonly names: readonly string[] }[];
  readonly arrows: readonly Arrow[];
}

interface Arrow {
  readonly from: string;
  readonly to: string;
  /** Every import is one of types, so that nothing of it is left at run time. */
  readonly typeOnly: boolean;
}

/** The drawings that docs/architecture.md shows, by the path of their files. */
export function pictures(sources: Sources): Map<string, string> {
  return new Map([
    ['docs/pictures/packages.svg', draw(packageGraph(sources))],
    ['docs/pictures/core.svg', draw(folderGraph(sources))],
  ]);
}

/** The folders and entries of the core by what they import from each other. */
export function folderGraph(sources: Sources): Graph {
  const core = [...sources].filter(([path]) => packageOf(path) === 'core');
  const arrows = core.flatMap(([path, source]) =>
    importsOf(source)
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => ({
        from: nodeOf(path),
        to: nodeOf(resolve(path, specifier)),
        typeOnly: false,
      })),
  );
  const layers = new Map(core.map(([path]) => [nodeOf(path), layerOf(path)]));
  return graph('Folders of packages/core/src', layers, arrows, (layer) => `layer ${layer}`);
}

/** The packages by what they import from each other. A package stands one row above the highest one that it imports. */
export function packageGraph(sources: Sources): Graph {
  const arrows = [...sources].flatMap(([path, source]) =>
    importsOf(source).flatMap(({ specifier, typeOnly }) => {
      const to = /^@sallyport\/([^/]+)/.exec(specifier)?.[1];
      return to === undefined ? [] : [{ from: packageOf(path), to, typeOnly }];
    }),
  );
  const height = (name: string): number =>
    Math.max(
      0,
      ...arrows.filter(({ from, to }) => from === name && to !== name).map(({ to }) => 1 + height(to)),
    );
  const names = [...new Set([...sources.keys()].map(packageOf))];
  return graph('Packages', new Map(names.map((name) => [name, height(name)])), arrows, () => '');
}

function graph(
  title: string,
  layers: ReadonlyMap<string, number>,
  imports: readonly Arrow[],
  label: (layer: number) => string,
): Graph {
  const rows = [...new Set(layers.values())]
    .sort((a, b) => b - a)
    .map((layer) => ({
      label: label(layer),
      names: [...layers.keys()].filter((name) => layers.get(name) === layer).sort(),
    }));
  const arrows = new Map<string, Arrow>();
  for (const arrow of imports.filter(({ from, to }) => from !== to)) {
    const key = `${arrow.from} ${arrow.to}`;
    const typeOnly = arrow.typeOnly && (arrows.get(key)?.typeOnly ?? true);
    arrows.set(key, { ...arrow, typeOnly });
  }
  const sorted = [...arrows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, arrow]) => arrow);
  return { title, rows, arrows: sorted.filter((arrow) => !isImplied(arrow, sorted)) };
}

/** Whether a longer way along the other arrows leads to the same box. */
function isImplied({ from, to }: Arrow, arrows: readonly Arrow[]): boolean {
  const targets = (name: string) => arrows.filter((arrow) => arrow.from === name).map((arrow) => arrow.to);
  const reached = new Set(targets(from).filter((name) => name !== to));
  for (const name of reached) {
    for (const target of targets(name)) reached.add(target);
  }
  return reached.has(to);
}

const [WIDTH, LEFT, ROW, BOX, GAP] = [760, 70, 74, 30, 44];
const STYLE = `<style>
text { font: 13px system-ui, sans-serif; fill: #24292f; } .title { font-weight: 600; } .small { font-size: 11px; fill: #57606a; }
.box { fill: #ddf4ff; stroke: #0969da; } .arrow { fill: none; stroke: #6e7781; stroke-width: 1.3; } .types { stroke-dasharray: 4 3; } .head { fill: #6e7781; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .small { fill: #9198a1; } .box { fill: #121d2f; stroke: #4493f8; } .arrow { stroke: #9198a1; } .head { fill: #9198a1; } }
</style>`;

/** A place in a row: a box, or the point where an arrow to a lower row passes between the boxes. */
interface Place {
  readonly name: string;
  readonly passing: boolean;
  readonly above: Place[];
  readonly below: Place[];
  x: number;
}

/** The graph as SVG that is readable on light and dark pages. The same graph gives the same text. */
export function draw({ title, rows, arrows }: Graph): string {
  const places: Place[][] = rows.map(({ names }) => names.map((name) => place(name, false)));
  const find = (name: string): [row: number, place: Place] => {
    const row = rows.findIndex(({ names }) => names.includes(name));
    return [row, (places[row] as Place[]).find((other) => other.name === name && !other.passing) as Place];
  };
  const ways = arrows.map((arrow) => {
    const [[top, start], [bottom, end]] = [find(arrow.from), find(arrow.to)];
    const between = places.slice(top + 1, bottom).map((row) => {
      const passing = place(`${arrow.from} ${arrow.to}`, true);
      row.push(passing);
      return passing;
    });
    const way: Place[] = [start, ...between, end];
    way.slice(1).forEach((next, i) => {
      way[i]?.below.push(next);
      next.above.push(way[i] as Place);
    });
    return { arrow, top, way };
  });
  arrange(places);
  const y = (row: number): number => 44 + row * ROW;
  const lines = ways.map(({ arrow, top, way }) => {
    const points = way.map(({ x }, i) => [x, y(top + i)] as const);
    return `<path class="arrow${arrow.typeOnly ? ' types' : ''}" marker-end="url(#head)" d="${curve(points)}"/>`;
  });
  const boxes = places.flatMap((row, i) =>
    row
      .filter(({ passing }) => !passing)
      .map(
        ({ name, x }) =>
          `<rect class="box" x="${at(x - widthOf(name) / 2)}" y="${y(i)}" width="${widthOf(name)}" height="${BOX}" rx="5"/>` +
          `<text x="${at(x)}" y="${y(i) + 20}" text-anchor="middle">${name}</text>`,
      ),
  );
  const labels = rows
    .filter(({ label }) => label !== '')
    .map(
      ({ label, names }) =>
        `<text class="small" x="12" y="${y(rows.findIndex((row) => row.names === names)) + 20}">${label}</text>`,
    );
  const height = y(places.length - 1) + BOX + 36;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}, by their imports">
${STYLE}
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>
<text class="title" x="12" y="22">${title}</text>
${[...labels, ...lines, ...boxes].join('\n')}
<text class="small" x="12" y="${height - 10}">An arrow means: imports.${arrows.some(({ typeOnly }) => typeOnly) ? ' Dashed: types only.' : ''} An arrow is left out where a longer way leads to the same box.</text>
</svg>
`;
}

function place(name: string, passing: boolean): Place {
  return { name, passing, above: [], below: [], x: 0 };
}

/** Puts each place near the middle of those it is connected to, so that few arrows cross. */
function arrange(rows: Place[][]): void {
  for (const row of rows) spread(row);
  for (let sweep = 0; sweep < 8; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : rows.toReversed()) {
      const middle = new Map(row.map((one) => [one, mean(down ? one.above : one.below) ?? one.x]));
      row.sort((a, b) => (middle.get(a) as number) - (middle.get(b) as number) || (a.name < b.name ? -1 : 1));
      spread(row);
    }
  }
}

/** Places a row in its order, centred, with the same gap between all. */
function spread(row: Place[]): void {
  const widths = row.map((one) => (one.passing ? 20 : widthOf(one.name)));
  const total = widths.reduce((sum, width) => sum + width, 0) + GAP * (row.length - 1);
  let x = LEFT + (WIDTH - LEFT - total) / 2;
  row.forEach((one, i) => {
    const width = widths[i] as number;
    one.x = x + width / 2;
    x += width + GAP;
  });
}

function mean(places: readonly Place[]): number | undefined {
  if (places.length === 0) return undefined;
  return places.reduce((sum, { x }) => sum + x, 0) / places.length;
}

/** A line from under the first box to above the last one, straight past the boxes of each row between. */
function curve(points: readonly (readonly [x: number, y: number])[]): string {
  let path = '';
  points.forEach(([x, y], i) => {
    const before = points[i - 1];
    if (before === undefined) path = `M${at(x)} ${y + BOX}`;
    else {
      const middle = (before[1] + BOX + y) / 2;
      path += `C${at(before[0])} ${middle} ${at(x)} ${middle} ${at(x)} ${y}`;
      if (i < points.length - 1) path += `V${y + BOX}`;
    }
  });
  return path;
}

function widthOf(name: string): number {
  return 26 + name.length * 8;
}

function at(value: number): string {
  return value.toFixed(1);
}

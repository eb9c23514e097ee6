/** One line of a chart. */
export interface Series {
  readonly name: string;
  /** Ascending by x; both above 0. */
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly colour: string;
  /** Drawn dashed: measured elsewhere. */
  readonly dashed: boolean;
}

/** What stands around the lines. */
export interface ChartLabels {
  readonly title: string;
  readonly x: string;
  readonly y: string;
}

const WIDTH = 760;
const HEIGHT = 420;
const LEFT = 70;
const RIGHT = 190;
const TOP = 46;
const BOTTOM = 54;
/** The least distance of two names at the right edge. */
const NAME_HEIGHT = 15;

/** Draws lines over two logarithmic axes, as SVG that needs nothing else. */
export function drawChart(series: readonly Series[], labels: ChartLabels): string {
  const points = series.flatMap((line) => line.points);
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [xMin, xMax] = [Math.min(...xs), Math.max(...xs)];
  const [yMin, yMax] = [
    10 ** Math.floor(Math.log10(Math.min(...ys))),
    10 ** Math.ceil(Math.log10(Math.max(...ys))),
  ];
  const place = (value: number, min: number, max: number, from: number, to: number): number =>
    max === min ? (from + to) / 2 : from + (Math.log(value / min) / Math.log(max / min)) * (to - from);
  const xAt = (x: number): number => place(x, xMin, xMax, LEFT, WIDTH - RIGHT);
  const yAt = (y: number): number => place(y, yMin, yMax, HEIGHT - BOTTOM, TOP);

  const parts: string[] = [text(LEFT, 24, labels.title, 'font-size="15" font-weight="bold"')];
  for (let y = yMin; y <= yMax; y *= 10) {
    parts.push(line(LEFT, yAt(y), WIDTH - RIGHT, yAt(y), "#d8dee4"));
    parts.push(text(LEFT - 8, yAt(y) + 4, short(y), 'text-anchor="end"'));
  }
  for (const x of new Set(xs)) {
    parts.push(line(xAt(x), TOP, xAt(x), HEIGHT - BOTTOM, "#eef1f4"));
    parts.push(text(xAt(x), HEIGHT - BOTTOM + 18, String(x), 'text-anchor="middle"'));
  }
  parts.push(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, labels.x, 'text-anchor="middle"'));
  parts.push(text(18, TOP - 8, labels.y, ""));
  for (const { points: own, colour, dashed } of series) {
    const path = own.map(([x, y]) => `${fixed(xAt(x))},${fixed(yAt(y))}`).join(" ");
    const dash = dashed ? ' stroke-dasharray="5 4"' : "";
    parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`);
    for (const [x, y] of own)
      parts.push(`<circle cx="${fixed(xAt(x))}" cy="${fixed(yAt(y))}" r="3" fill="${colour}"/>`);
  }
  // Names stand at the ends of their lines, pushed down where they would overlap.
  let lowest = Number.NEGATIVE_INFINITY;
  const ends = series.map((one) => ({ one, y: yAt((one.points.at(-1) as readonly [number, number])[1]) }));
  for (const { one, y } of ends.toSorted((a, b) => a.y - b.y)) {
    lowest = Math.max(y + 4, lowest + NAME_HEIGHT);
    parts.push(text(WIDTH - RIGHT + 10, lowest, one.name, `fill="${one.colour}"`));
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#24292f">`,
    `<title>${escape(labels.title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}"${attributes === "" ? "" : ` ${attributes}`}>${escape(content)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  return `<line x1="${fixed(x1)}" y1="${fixed(y1)}" x2="${fixed(x2)}" y2="${fixed(y2)}" stroke="${colour}"/>`;
}

function fixed(value: number): string {
  return String(Number(value.toFixed(1)));
}

/** 1000 as `1k`, 1000000 as `1M`. */
function short(value: number): string {
  if (value >= 1_000_000) return `${value / 1_000_000}M`;
  return value >= 1000 ? `${value / 1000}k` : String(value);
}

function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** What is to be drawn as one bar. */
export interface Span {
  /** Whose it is. */
  readonly lane: string | number;
  readonly from: number;
  /** Null if it is open. */
  readonly to: number | null;
  /** How many pixels its words need. */
  readonly minWidth: number;
}

/** Where a bar lies, in pixels from the left of the drawing, and in rows. */
export interface Bar {
  readonly x: number;
  readonly width: number;
  readonly row: number;
  readonly open: boolean;
}

export interface Layout {
  /** In the order of the spans. */
  readonly bars: readonly Bar[];
  /** Each lane with its first row, from the top. */
  readonly lanes: readonly { readonly lane: string | number; readonly row: number }[];
  readonly rows: number;
  readonly width: number;
}

const GAP = 12;

interface Mark {
  readonly time: number;
  readonly isEnd: boolean;
  readonly span: number;
}

/**
 * Gives every span a place. Marks keep the order of time, with beginnings before ends where both fall on one moment, and stand
 * as far apart as the words need. Each lane has a row, and more of them where its spans overlap.
 */
export function layOut(spans: readonly Span[]): Layout {
  const from = new Map<number, number>();
  const to = new Map<number, number>();
  let right = 0;
  let latest: Mark | null = null;
  for (const mark of marksOf(spans)) {
    const { minWidth } = spans[mark.span] as Span;
    // The same moment is the same place.
    const isNew = latest !== null && (latest.time !== mark.time || latest.isEnd !== mark.isEnd);
    let x = right + (isNew ? GAP : 0);
    if (mark.isEnd) x = Math.max(x, (from.get(mark.span) ?? 0) + minWidth);
    (mark.isEnd ? to : from).set(mark.span, x);
    right = x;
    latest = mark;
  }
  const openEnds = spans.map((span, i) => (span.to === null ? (from.get(i) ?? 0) + span.minWidth : 0));
  const width = Math.max(right + GAP, ...openEnds);
  const { rowOf, lanes, rows } = assignRows(spans);
  const bars = spans.map((span, i) => {
    const x = from.get(i) ?? 0;
    const open = span.to === null;
    return { x, width: (open ? width : (to.get(i) ?? 0)) - x, row: rowOf[i] ?? 0, open };
  });
  return { bars, lanes, rows, width };
}

function marksOf(spans: readonly Span[]): Mark[] {
  const marks = spans.flatMap(({ from, to }, span) => [
    { time: from, isEnd: false, span },
    ...(to === null ? [] : [{ time: to, isEnd: true, span }]),
  ]);
  return marks.sort((a, b) => a.time - b.time || Number(a.isEnd) - Number(b.isEnd) || a.span - b.span);
}

function assignRows(spans: readonly Span[]): { rowOf: readonly number[] } & Pick<Layout, "lanes" | "rows"> {
  const rowOf: number[] = [];
  const lanes: { lane: string | number; row: number }[] = [];
  let rows = 0;
  const names = [...new Set(spans.map(({ lane }) => lane))].sort(byName);
  for (const lane of names) {
    lanes.push({ lane, row: rows });
    const ends: number[] = [];
    const own = spans.flatMap((span, i) => (span.lane === lane ? [{ ...span, i }] : []));
    own.sort((a, b) => a.from - b.from || a.i - b.i);
    for (const { i, from, to } of own) {
      const free = ends.findIndex((end) => end < from);
      const row = free === -1 ? ends.length : free;
      ends[row] = to ?? Infinity;
      rowOf[i] = rows + row;
    }
    rows += ends.length;
  }
  return { rowOf, lanes, rows };
}

function byName(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a) < String(b) ? -1 : Number(String(a) > String(b));
}

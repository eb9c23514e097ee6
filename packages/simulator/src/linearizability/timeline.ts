import { describeClient, describeOperation } from "./describe-operation.js";
import type { IllegalPart, PartOperation } from "./illegal-part.js";
import type { Model } from "./model.js";
import { partitionName } from "./report.js";
import { escapeXml } from "./safe-text.js";
import { footnotes, positions, shownOperations } from "./shown-operations.js";
import { layOut } from "./timeline-layout.js";
import type { Bar, Layout } from "./timeline-layout.js";

const LABEL_CHARACTERS = 32;
const PIXELS_PER_CHARACTER = 7.3;
/** Left of the number in a bar, and right of it. */
const PADDING = 6;
const ROW_HEIGHT = 34;
const BAR_HEIGHT = 24;
const LEFT = 12;
const TOP = 44;
const LINE_HEIGHT = 18;

const COLOURS = {
  culprit: { fill: "#fdd8d5", stroke: "#b71c1c" },
  needed: { fill: "#dbeafd", stroke: "#1a56a8" },
  context: { fill: "#eeeeee", stroke: "#757575" },
} as const;

/**
 * A picture of an illegal part: a lane for each client, a bar for each operation from its call to its return, open at the
 * end if its outcome is unknown, numbers in an order that explains all others, and the culprit in red. Time runs to the
 * right and is stretched so that the words fit: only what comes before what is true to scale.
 *
 * @returns one SVG element that needs nothing else, at most some hundred kilobytes; text from clients is escaped.
 */
export function linearizabilityTimeline<S, I, O>(part: IllegalPart<I, O>, model: Model<S, I, O>): string {
  const shown = shownOperations(part);
  const order = positions(part);
  const labels = shown.map(({ operation }) => describeOperation(model, operation, LABEL_CHARACTERS));
  const lanes = shown.map(({ operation }) => describeClient(operation.client));
  const nameWidth = Math.max(...lanes.map((name) => textWidth(`client ${name}`))) + 2 * LEFT;
  const numberWidth = textWidth(String(part.order.length)) + 2 * PADDING;
  const layout = layOut(
    shown.map(({ operation: { client, call, status, ret } }, i) => ({
      lane: client,
      from: call,
      to: status === "ok" ? ret : null,
      minWidth: numberWidth + textWidth(labels[i] as string) + PADDING,
    })),
  );
  const title = `No order of these operations on ${partitionName(model, part.partition)} explains what was seen`;
  const notes = [
    "Numbers: an order that explains all but the red operation. Red: what cannot be explained.",
    ...footnotes(part),
  ];
  const widest = Math.max(...[title, ...notes].map(textWidth));
  const width = Math.max(nameWidth + layout.width + LEFT, widest + 2 * LEFT);
  const notesTop = TOP + layout.rows * ROW_HEIGHT + LINE_HEIGHT;
  const height = notesTop + notes.length * LINE_HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="24" font-weight="bold" fill="#222222">${escapeXml(title)}</text>`,
    ...laneNames(layout, width),
    ...layout.bars.map((bar, i) => {
      const operation = shown[i] as PartOperation<I, O>;
      const full = `client ${lanes[i]}: ${describeOperation(model, operation.operation)}, ${times(operation)}`;
      return drawBar(bar, {
        operation,
        label: labels[i] as string,
        full,
        left: nameWidth,
        numberWidth,
        order,
      });
    }),
    ...notes.map(
      (note, i) =>
        `<text x="${LEFT}" y="${notesTop + i * LINE_HEIGHT}" fill="#444444">${escapeXml(note)}</text>`,
    ),
    "</svg>",
    "",
  ].join("\n");
}

function laneNames({ lanes }: Layout, width: number): string[] {
  return lanes.flatMap(({ lane, row }) => {
    const y = TOP + row * ROW_HEIGHT;
    return [
      `<line x1="0" y1="${y - 5}" x2="${width}" y2="${y - 5}" stroke="#dddddd"/>`,
      `<text x="${LEFT}" y="${y + 16}" fill="#222222">client ${escapeXml(describeClient(lane))}</text>`,
    ];
  });
}

interface Drawn {
  readonly operation: PartOperation<unknown, unknown>;
  readonly label: string;
  readonly full: string;
  readonly left: number;
  readonly numberWidth: number;
  readonly order: ReadonlyMap<number, number>;
}

function drawBar(bar: Bar, { operation, label, full, left, numberWidth, order }: Drawn): string {
  const { fill, stroke } = COLOURS[operation.role];
  const x = left + bar.x;
  const y = TOP + bar.row * ROW_HEIGHT;
  const right = x + bar.width;
  const bottom = y + BAR_HEIGHT;
  // What is open has no right edge.
  const outline = bar.open
    ? `<path d="M${right} ${y}H${x}V${bottom}H${right}" fill="${fill}" stroke="${stroke}" stroke-dasharray="5 3"/>`
    : `<rect x="${x}" y="${y}" width="${bar.width}" height="${BAR_HEIGHT}" rx="3" fill="${fill}" stroke="${stroke}"/>`;
  const number = operation.role === "culprit" ? "✗" : String(order.get(operation.index) ?? "");
  return [
    `<g data-index="${operation.index}" data-role="${operation.role}"><title>${escapeXml(full)}</title>`,
    outline,
    `<text x="${x + PADDING}" y="${y + 16}" font-weight="bold" fill="${stroke}">${number}</text>`,
    `<text x="${x + numberWidth}" y="${y + 16}" fill="#222222">${escapeXml(label)}</text></g>`,
  ].join("");
}

function textWidth(text: string): number {
  return Math.ceil(text.length * PIXELS_PER_CHARACTER);
}

function times<I, O>({ operation: { call, status, ret } }: PartOperation<I, O>): string {
  return status === "ok" ? `called ${call}, returned ${ret}` : `called ${call}, outcome unknown`;
}

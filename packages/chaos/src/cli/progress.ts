const BAR = 24;
export const CLEAR_LINE = "\r\u001b[K";

/** One line that says how far it is, on a terminal. */
export function progressLine(done: number, of: number, doing: string): string {
  const full = Math.round((done / of) * BAR);
  return `${CLEAR_LINE}[${"=".repeat(full)}${" ".repeat(BAR - full)}] ${done} of ${of}, ${doing}`;
}

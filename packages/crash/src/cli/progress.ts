const BAR = 24;
const CLEAR_LINE = "\r\u001b[K";

/** One line that says how far it is, on a terminal. */
export function progressLine(done: number, of: number, kills: number, acknowledged: number): string {
  const full = Math.round((done / of) * BAR);
  const bar = `${"=".repeat(full)}${" ".repeat(BAR - full)}`;
  return `${CLEAR_LINE}[${bar}] ${done} of ${of} rounds, ${kills} kills, ${acknowledged} acknowledged writes`;
}

export { CLEAR_LINE };

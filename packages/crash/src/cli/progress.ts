import { progressLine as lineOf } from "@seshat/chaos";

/** One line that says how far it is, on a terminal. */
export function progressLine(done: number, of: number, kills: number, acknowledged: number): string {
  return lineOf(done, of, `${kills} kills, ${acknowledged} acknowledged writes`);
}

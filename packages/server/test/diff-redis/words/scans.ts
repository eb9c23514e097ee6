import type { Random } from "../random.ts";
import { anyCase, pattern } from "../values.ts";
import { option, shuffled } from "./make-arguments.ts";

/** Cursor and options for the elements of one collection: all of it in one step, most often. */
export function scanOptions(random: Random): string[] {
  return [
    random.pick(["0", "0", "0", "0", "0", "0", "abc", "", "99999999999999999999", "0 ", "-1", "1\0"]),
    ...shuffled(random, [
      option(random, 0.8, () => [
        anyCase(random, "COUNT"),
        random.pick(["1000", "1000", "1000", "0", "-1", "abc", "9223372036854775807", ""]),
      ]),
      option(random, 0.4, () => [anyCase(random, "MATCH"), pattern(random)]),
      option(random, 0.03, () => [random.pick(["FOO", "MATCH", "COUNT", "TYPE"])]),
      option(random, 0.03, () => ["TYPE", "string"]),
    ]),
  ];
}

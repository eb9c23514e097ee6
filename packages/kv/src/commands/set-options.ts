import { SYNTAX_ERROR } from "../refusal.js";
import type { ExpireUnit } from "./expire-option.js";
import { word } from "./parse.js";

/** When `SET` and `DELEX` act: compared with the string that is there. */
export interface ValueCondition {
  readonly equal: boolean;
  readonly value: Uint8Array;
}

/** The options of `SET` and `GETEX`. */
export interface StringOptions {
  only: "NX" | "XX" | null;
  condition: ValueCondition | null;
  get: boolean;
  keepTtl: boolean;
  persist: boolean;
  unit: ExpireUnit | null;
  /** The argument that goes with `unit`. */
  amount: Uint8Array | undefined;
}

/**
 * Reads the options from `args[from]` on, with Redis's rules of what excludes what.
 *
 * @throws {Refusal} a syntax error.
 */
export function parseStringOptions(
  args: readonly Uint8Array[],
  from: number,
  command: "SET" | "GETEX",
): StringOptions {
  const options: StringOptions = {
    only: null,
    condition: null,
    get: false,
    keepTtl: false,
    persist: false,
    unit: null,
    amount: undefined,
  };
  const set = command === "SET";
  for (let at = from; at < args.length; at++) {
    const option = word(args[at]);
    const following = args[at + 1];
    const freeOfCondition = set && options.condition === null;
    switch (option) {
      case "NX":
      case "XX":
        if (!freeOfCondition || (options.only !== null && options.only !== option)) throw SYNTAX_ERROR;
        options.only = option;
        break;
      case "IFEQ":
      case "IFNE":
        if (!freeOfCondition || options.only !== null || following === undefined) throw SYNTAX_ERROR;
        options.condition = { equal: option === "IFEQ", value: following };
        at += 1;
        break;
      case "GET":
        if (!set) throw SYNTAX_ERROR;
        options.get = true;
        break;
      case "KEEPTTL":
        if (!set || options.unit !== null) throw SYNTAX_ERROR;
        options.keepTtl = true;
        break;
      case "PERSIST":
        if (set || options.unit !== null) throw SYNTAX_ERROR;
        options.persist = true;
        break;
      case "EX":
      case "PX":
      case "EXAT":
      case "PXAT":
        if (options.keepTtl || options.persist || following === undefined) throw SYNTAX_ERROR;
        if (options.unit !== null && options.unit !== option) throw SYNTAX_ERROR;
        options.unit = option;
        options.amount = following;
        at += 1;
        break;
      default:
        throw SYNTAX_ERROR;
    }
  }
  return options;
}

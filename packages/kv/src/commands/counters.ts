import { NAN_OR_INFINITY, NOT_AN_INTEGER, OVERFLOW } from "../refusal.js";
import type { Reply } from "../reply.js";
import { errorReply } from "../reply.js";
import type { Db } from "../store/db.js";
import { floatWork } from "../work.js";
import { LongDouble } from "./long-double.js";
import {
  INT64_MIN,
  asciiBytes,
  fitsInt64,
  integerArgument,
  integerBytes,
  parseInteger,
  shrink,
} from "./parse.js";
import type { Integer } from "./parse.js";
import { checkLength } from "./strings.js";

type Args = readonly Uint8Array[];

export function incr(db: Db, args: Args): Reply {
  return add(db, args, 1);
}

export function decr(db: Db, args: Args): Reply {
  return add(db, args, -1);
}

export function incrby(db: Db, args: Args): Reply {
  return add(db, args, integerArgument(args[2]));
}

export function decrby(db: Db, args: Args): Reply {
  const amount = integerArgument(args[2]);
  if (amount === INT64_MIN) return errorReply("ERR decrement would overflow");
  return add(db, args, typeof amount === "number" ? -amount : shrink(-amount));
}

function add(db: Db, args: Args, amount: Integer): Reply {
  const key = args[1] as Uint8Array;
  const value = db.viewString(key);
  const before = value === null ? 0 : parseInteger(value);
  if (before === null) throw NOT_AN_INTEGER;
  const after = sum(before, amount);
  if (after === null) throw OVERFLOW;
  db.put(key, integerBytes(after), value === null ? 0 : db.deadline());
  return after;
}

/** The sum of two 64-bit integers, or null when it is none. */
export function sum(a: Integer, b: Integer): Integer | null {
  if (typeof a === "number" && typeof b === "number") {
    const result = a + b;
    // -0 is not told apart from 0 by anybody, but it is not 0 either.
    if (Number.isSafeInteger(result)) return result === 0 ? 0 : result;
  }
  const exact = BigInt(a) + BigInt(b);
  return fitsInt64(exact) ? shrink(exact) : null;
}

export function incrbyfloat(db: Db, args: Args): Reply {
  const key = args[1] as Uint8Array;
  const value = db.viewString(key);
  db.work.charge(floatWork(args[2] as Uint8Array) + (value === null ? 0 : floatWork(value)));
  const before = value === null ? LongDouble.ZERO : LongDouble.parse(value);
  const after = before.plus(LongDouble.parse(args[2] as Uint8Array));
  if (!after.isFinite) throw NAN_OR_INFINITY;
  const bytes = asciiBytes(after.format());
  checkLength(db, bytes.length);
  db.put(key, bytes, value === null ? 0 : db.deadline());
  return bytes;
}

import type { Reply } from "../reply.js";
import { errorReply } from "../reply.js";
import type { Db } from "../store/db.js";
import { MAX_DEADLINE } from "../store/db.js";
import { invalidExpireTime } from "./expire-option.js";
import { INT64_MAX, INT64_MIN, errorText, integerArgument, word } from "./parse.js";

type Args = readonly Uint8Array[];
type Condition = "NX" | "XX" | "GT" | "LT";

export function expire(db: Db, args: Args): Reply {
  return setExpiry(db, args, db.clock, true, "expire");
}

export function pexpire(db: Db, args: Args): Reply {
  return setExpiry(db, args, db.clock, false, "pexpire");
}

export function expireat(db: Db, args: Args): Reply {
  return setExpiry(db, args, 0, true, "expireat");
}

export function pexpireat(db: Db, args: Args): Reply {
  return setExpiry(db, args, 0, false, "pexpireat");
}

function setExpiry(db: Db, args: Args, base: number, seconds: boolean, command: string): Reply {
  const conditions = new Set<Condition>();
  for (const arg of args.slice(3)) {
    const option = word(arg);
    if (option !== "NX" && option !== "XX" && option !== "GT" && option !== "LT") {
      return errorReply(`ERR Unsupported option ${errorText(withoutLineEnd(arg))}`);
    }
    conditions.add(option);
  }
  if (conditions.has("NX") && conditions.size > 1) {
    return errorReply("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (conditions.has("GT") && conditions.has("LT")) {
    return errorReply("ERR GT and LT options at the same time are not compatible");
  }
  let when = BigInt(integerArgument(args[2]));
  if (seconds) {
    when *= 1000n;
    if (when > INT64_MAX || when < INT64_MIN) throw invalidExpireTime(command);
  }
  when += BigInt(base);
  if (when > INT64_MAX) throw invalidExpireTime(command);
  // As it will be kept: of two deadlines past the last one, neither is later.
  if (when > MAX_DEADLINE) when = BigInt(MAX_DEADLINE);
  const key = args[1] as Uint8Array;
  if (!db.locate(key)) return 0;
  const before = db.deadline();
  for (const condition of conditions) if (!holds(condition, when, before)) return 0;
  if (when <= db.clock) db.delete(key);
  else db.setDeadline(key, Number(when));
  return 1;
}

/** Without a deadline a key lives for ever: nothing is later. */
function holds(condition: Condition, when: bigint, before: number): boolean {
  switch (condition) {
    case "NX":
      return before === 0;
    case "XX":
      return before > 0;
    case "GT":
      return before > 0 && when > before;
    case "LT":
      return before === 0 || when < before;
    default:
      return condition satisfies never;
  }
}

export function persist(db: Db, args: Args): Reply {
  const key = args[1] as Uint8Array;
  if (!db.locate(key) || db.deadline() === 0) return 0;
  db.setDeadline(key, 0);
  return 1;
}

export function ttl(db: Db, args: Args): Reply {
  return timeLeft(db, args, db.now, 1000);
}

export function pttl(db: Db, args: Args): Reply {
  return timeLeft(db, args, db.now, 1);
}

export function expiretime(db: Db, args: Args): Reply {
  return timeLeft(db, args, 0, 1000);
}

export function pexpiretime(db: Db, args: Args): Reply {
  return timeLeft(db, args, 0, 1);
}

function timeLeft(db: Db, args: Args, since: number, unitMs: number): Reply {
  if (!db.locate(args[1] as Uint8Array)) return -2;
  const deadline = db.deadline();
  if (deadline === 0) return -1;
  const left = deadline - since;
  return unitMs === 1 ? left : Math.floor((left + 500) / 1000);
}

/** Redis takes line ends off the end of an error, and makes blanks of those within. */
function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  let { length } = bytes;
  while (length > 0 && (bytes[length - 1] === 10 || bytes[length - 1] === 13)) length--;
  return bytes.subarray(0, length);
}

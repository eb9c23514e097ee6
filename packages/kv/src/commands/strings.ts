import { REDIS_MAX_BYTES } from "../config.js";
import { STRING_TOO_LONG, SYNTAX_ERROR, VALUE_TOO_LARGE, WRONG_TYPE } from "../refusal.js";
import type { Reply } from "../reply.js";
import { OK, errorReply } from "../reply.js";
import type { Db } from "../store/db.js";
import { WORK } from "../work.js";
import { deadlineArgument } from "./expire-option.js";
import { equalBytes, indexArgument, integerArgument } from "./parse.js";
import { parseStringOptions } from "./set-options.js";

type Args = readonly Uint8Array[];

/** @throws {Refusal} when a string of that length is too long. */
export function checkLength(db: Db, bytes: number): void {
  if (bytes > REDIS_MAX_BYTES) throw STRING_TOO_LONG;
  if (bytes > db.config.maxValueBytes) throw VALUE_TOO_LARGE;
}

export function get(db: Db, args: Args): Reply {
  return db.string(args[1] as Uint8Array);
}

export function set(db: Db, args: Args): Reply {
  const key = args[1] as Uint8Array;
  const value = args[2] as Uint8Array;
  checkLength(db, value.length);
  if (args.length === 3) {
    db.put(key, value);
    return OK;
  }
  const { only, condition, get, keepTtl, unit, amount } = parseStringOptions(args, 3, "SET");
  const deadline = unit === null ? 0 : deadlineArgument(amount, unit, db.clock, "set");
  const found = db.locate(key);
  const before = found && (get || condition !== null) ? db.value() : null;
  if (before !== null && !(before instanceof Uint8Array)) throw WRONG_TYPE;
  let holds = true;
  if (only !== null) holds = found === (only === "XX");
  if (condition !== null) {
    holds = (before !== null && equalBytes(before, condition.value)) === condition.equal;
  }
  if (holds) db.put(key, value, keepTtl && found ? db.deadline() : deadline);
  if (get) return before;
  return holds ? OK : null;
}

export function setnx(db: Db, args: Args): Reply {
  checkLength(db, (args[2] as Uint8Array).length);
  if (db.locate(args[1] as Uint8Array)) return 0;
  db.put(args[1] as Uint8Array, args[2] as Uint8Array);
  return 1;
}

export function setex(db: Db, args: Args): Reply {
  return setUntil(db, args, "EX", "setex");
}

export function psetex(db: Db, args: Args): Reply {
  return setUntil(db, args, "PX", "psetex");
}

function setUntil(db: Db, args: Args, unit: "EX" | "PX", command: string): Reply {
  const value = args[3] as Uint8Array;
  checkLength(db, value.length);
  db.put(args[1] as Uint8Array, value, deadlineArgument(args[2], unit, db.clock, command));
  return OK;
}

export function getset(db: Db, args: Args): Reply {
  const value = args[2] as Uint8Array;
  checkLength(db, value.length);
  const before = db.string(args[1] as Uint8Array);
  db.put(args[1] as Uint8Array, value);
  return before;
}

export function getdel(db: Db, args: Args): Reply {
  const before = db.string(args[1] as Uint8Array);
  if (before !== null) db.delete(args[1] as Uint8Array);
  return before;
}

export function getex(db: Db, args: Args): Reply {
  const key = args[1] as Uint8Array;
  const { persist, unit, amount } = parseStringOptions(args, 2, "GETEX");
  const value = db.string(key);
  if (value === null) return null;
  if (unit !== null) db.setDeadline(key, deadlineArgument(amount, unit, db.clock, "getex"));
  else if (persist && db.deadline() > 0) db.setDeadline(key, 0);
  return value;
}

export function mget(db: Db, args: Args): Reply {
  return args.slice(1).map((key) => {
    if (!db.locate(key)) return null;
    const value = db.value();
    return value instanceof Uint8Array ? value : null;
  });
}

export function mset(db: Db, args: Args): Reply {
  const problem = checkPairs(db, args, "mset");
  if (problem !== null) return problem;
  putPairs(db, args);
  return OK;
}

export function msetnx(db: Db, args: Args): Reply {
  const problem = checkPairs(db, args, "msetnx");
  if (problem !== null) return problem;
  for (let at = 1; at < args.length; at += 2) if (db.locate(args[at] as Uint8Array)) return 0;
  putPairs(db, args);
  return 1;
}

function checkPairs(db: Db, args: Args, command: string): Reply {
  if (args.length % 2 === 0) return errorReply(`ERR wrong number of arguments for '${command}' command`);
  for (let at = 2; at < args.length; at += 2) checkLength(db, (args[at] as Uint8Array).length);
  return null;
}

function putPairs(db: Db, args: Args): void {
  for (let at = 1; at < args.length; at += 2) db.put(args[at] as Uint8Array, args[at + 1] as Uint8Array);
}

export function strlen(db: Db, args: Args): Reply {
  return db.locate(args[1] as Uint8Array) ? db.stringBytes() : 0;
}

export function append(db: Db, args: Args): Reply {
  const key = args[1] as Uint8Array;
  const added = args[2] as Uint8Array;
  const before = db.viewString(key);
  if (before === null) {
    checkLength(db, added.length);
    db.put(key, added);
    return added.length;
  }
  const length = before.length + added.length;
  checkLength(db, length);
  db.work.charge(2 * length * WORK.byte);
  const after = new Uint8Array(length);
  after.set(before);
  after.set(added, before.length);
  db.locate(key);
  db.put(key, after, db.deadline());
  return length;
}

export function getrange(db: Db, args: Args): Reply {
  let start = indexArgument(args[2]);
  let end = indexArgument(args[3]);
  const value = db.viewString(args[1] as Uint8Array);
  if (value === null) return new Uint8Array(0);
  const { length } = value;
  // By what was asked for, not by what it is cut to: both may lie far before the beginning.
  if (start < 0 && end < 0 && integerArgument(args[2]) > integerArgument(args[3])) return new Uint8Array(0);
  if (start < 0) start = Math.max(0, start + length);
  if (end < 0) end = Math.max(0, end + length);
  db.work.charge(Math.max(0, Math.min(end + 1, length) - start) * WORK.byte);
  return value.slice(start, end + 1);
}

export function setrange(db: Db, args: Args): Reply {
  const key = args[1] as Uint8Array;
  const part = args[3] as Uint8Array;
  const offset = indexArgument(args[2]);
  if (offset < 0) return errorReply("ERR offset is out of range");
  const found = db.locate(key);
  const length = found ? db.stringBytes() : 0;
  if (part.length === 0) return length;
  checkLength(db, offset + part.length);
  db.work.charge(2 * Math.max(length, offset + part.length) * WORK.byte);
  const before = found ? (db.view() as Uint8Array) : new Uint8Array(0);
  const after = new Uint8Array(Math.max(length, offset + part.length));
  after.set(before);
  after.set(part, offset);
  db.put(key, after, found ? db.deadline() : 0);
  return after.length;
}

/** `DELEX key [IFEQ value | IFNE value]`, as Redis 8.4 has it. */
export function delex(db: Db, args: Args): Reply {
  const key = args[1] as Uint8Array;
  if (args.length === 2) return db.delete(key) ? 1 : 0;
  if (args.length !== 4) return errorReply("ERR wrong number of arguments for 'delex' command");
  const options = parseStringOptions(args, 2, "SET");
  const { condition } = options;
  if (condition === null) throw SYNTAX_ERROR;
  const value = db.string(key);
  if (value === null || equalBytes(value, condition.value) !== condition.equal) return 0;
  db.delete(key);
  return 1;
}

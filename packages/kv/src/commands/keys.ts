import { NO_SUCH_KEY, SYNTAX_ERROR } from "../refusal.js";
import type { Reply } from "../reply.js";
import { OK, errorReply } from "../reply.js";
import type { Db } from "../store/db.js";
import { WORK } from "../work.js";
import { matchesGlob } from "./glob.js";
import { INT32_MAX, INT32_MIN, equalBytes, rangedArgument, word } from "./parse.js";

type Args = readonly Uint8Array[];

const SAME_OBJECT = "ERR source and destination objects are the same";
const NO_SUCH_DB = "ERR DB index is out of range";

export function del(db: Db, args: Args): Reply {
  let deleted = 0;
  for (let at = 1; at < args.length; at++) if (db.delete(args[at] as Uint8Array)) deleted += 1;
  return deleted;
}

/** `EXISTS` and `TOUCH`: how many of the keys there are, one that is named twice counted twice. */
export function exists(db: Db, args: Args): Reply {
  let found = 0;
  for (let at = 1; at < args.length; at++) if (db.locate(args[at] as Uint8Array)) found += 1;
  return found;
}

export function type(db: Db, args: Args): Reply {
  return { type: "simple", text: db.locate(args[1] as Uint8Array) ? db.type() : "none" };
}

export function keys(db: Db, args: Args): Reply {
  const pattern = args[1] as Uint8Array;
  const found: Uint8Array[] = [];
  db.work.charge(db.size * WORK.key);
  db.walk(1, (read, visible) => {
    const key = visible ? read() : null;
    if (key !== null && matchesGlob(pattern, key, db.work)) found.push(key);
    return true;
  });
  return found;
}

export function dbsize(db: Db): Reply {
  return db.countVisible();
}

export function randomkey(db: Db): Reply {
  return db.randomKey();
}

export function rename(db: Db, args: Args): Reply {
  move(db, args, false);
  return OK;
}

export function renamenx(db: Db, args: Args): Reply {
  return move(db, args, true) ? 1 : 0;
}

function move(db: Db, args: Args, onlyNew: boolean): boolean {
  const from = args[1] as Uint8Array;
  const to = args[2] as Uint8Array;
  if (!db.locate(from)) throw NO_SUCH_KEY;
  if (equalBytes(from, to)) return !onlyNew;
  if (onlyNew && db.locate(to)) return false;
  db.locate(from);
  const value = db.value();
  const deadline = db.deadline();
  db.put(to, value, deadline);
  db.delete(from);
  return true;
}

export function copy(db: Db, args: Args): Reply {
  let replace = false;
  for (let at = 3; at < args.length; at++) {
    const option = word(args[at]);
    if (option === "REPLACE") {
      replace = true;
    } else if (option === "DB" && at + 1 < args.length) {
      if (rangedArgument(args[at + 1], INT32_MIN, INT32_MAX) !== 0) return errorReply(NO_SUCH_DB);
      at += 1;
    } else {
      throw SYNTAX_ERROR;
    }
  }
  const from = args[1] as Uint8Array;
  const to = args[2] as Uint8Array;
  if (equalBytes(from, to)) return errorReply(SAME_OBJECT);
  if (!db.locate(from)) return 0;
  if (db.locate(to) && !replace) return 0;
  db.locate(from);
  const value = db.value();
  // Nothing is copied of a collection before one of the two is changed; and then it is.
  if (!(value instanceof Uint8Array)) db.work.charge(value.usedBytes * WORK.byte);
  const deadline = db.deadline();
  db.put(to, value instanceof Uint8Array ? value : value.fork(), deadline);
  return 1;
}

/** There is one database: no key can be moved to another. */
export function moveToDb(_db: Db, args: Args): Reply {
  return errorReply(rangedArgument(args[2], INT32_MIN, INT32_MAX) === 0 ? SAME_OBJECT : NO_SUCH_DB);
}

/** `FLUSHALL` and `FLUSHDB`, at once either way. */
export function flush(db: Db, args: Args): Reply {
  const option = word(args[1]);
  if (args.length > 2 || (args.length === 2 && option !== "SYNC" && option !== "ASYNC")) throw SYNTAX_ERROR;
  db.clear();
  return OK;
}

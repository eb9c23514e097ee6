import type { LogEntry, LogId, RaftTypeConfig, Vote } from "@seshat/common";
import type { MaybePromise, RaftStorage } from "@seshat/storage";
import type { Life } from "../world/life.js";

/** What is told of a node's storage. */
export interface StorageTap {
  /** A vote is durable. */
  voteSaved(vote: Vote): void;
  /** Entries were handed over. @returns to be called once they are durable. */
  appending(logIds: readonly LogId[]): () => void;
  /** Entries from `since` on are to be removed. @returns to be called once they are. */
  truncating(since: number): () => void;
  purged(upto: LogId): void;
  /** Entries were read. */
  read(entries: readonly LogEntry<unknown, unknown>[]): void;
  /** What was stored as committed was read, at the start of a life. */
  committedRead(committed: LogId): void;
}

/** A storage that tells what is durable, at the moment at which it says so itself. */
export function watchStorage<C extends RaftTypeConfig>(
  storage: RaftStorage<C>,
  tap: StorageTap,
): RaftStorage<C> {
  const after = (done: MaybePromise<void>, tell: () => void): MaybePromise<void> => {
    if (done instanceof Promise) return done.then(tell);
    tell();
  };
  return {
    readIdentity: () => storage.readIdentity(),
    saveIdentity: (identity) => storage.saveIdentity(identity),
    readVote: () => storage.readVote(),
    readLogState: () => storage.readLogState(),
    readEntries: (since, upto) => seen(storage.readEntries(since, upto), (entries) => tap.read(entries)),
    logReader: () => {
      const reader = storage.logReader();
      return {
        readVote: () => reader.readVote(),
        readEntries: (since, upto) => seen(reader.readEntries(since, upto), (entries) => tap.read(entries)),
      };
    },
    saveCommitted: (committed) => storage.saveCommitted?.(committed),
    readCommitted: () =>
      seen(storage.readCommitted?.() ?? null, (committed) => {
        if (committed !== null) tap.committedRead(committed);
      }),
    saveVote: (vote) => after(storage.saveVote(vote), () => tap.voteSaved(vote)),
    append: (entries, completion) => {
      const durable = tap.appending(entries.map(({ logId }) => logId));
      return storage.append(entries, (error) => {
        if (error === null) durable();
        completion(error);
      });
    },
    truncate: (since) => {
      const done = tap.truncating(since);
      return after(storage.truncate(since), done);
    },
    purge: (upto) => after(storage.purge(upto), () => tap.purged(upto)),
  };
}

/** Shows a result to somebody, and passes it on. */
function seen<T>(result: MaybePromise<T>, show: (value: T) => void): MaybePromise<T> {
  if (result instanceof Promise) {
    return result.then((value: T) => {
      show(value);
      return value;
    });
  }
  show(result);
  return result;
}

/** Whatever a dead node's storage still says does not count. */
export function aliveOnly(life: Life, tap: StorageTap): StorageTap {
  const guard =
    <A extends readonly unknown[]>(tell: (...told: A) => void) =>
    (...told: A): void => {
      if (life.alive) tell(...told);
    };
  return {
    voteSaved: guard((vote) => tap.voteSaved(vote)),
    appending: (logIds) => guard(tap.appending(logIds)),
    truncating: (since) => guard(tap.truncating(since)),
    purged: guard((upto) => tap.purged(upto)),
    read: guard((entries) => tap.read(entries)),
    committedRead: guard((committed) => tap.committedRead(committed)),
  };
}

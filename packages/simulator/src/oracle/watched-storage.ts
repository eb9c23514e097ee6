import type { LogId, RaftTypeConfig, Vote } from "@seshat/common";
import type { MaybePromise, RaftStorage } from "@seshat/storage";

/** What is told of a node's storage. */
export interface StorageTap {
  /** A vote is durable. */
  voteSaved(vote: Vote): void;
  /** Entries were handed over. @returns to be called once they are durable. */
  appending(logIds: readonly LogId[]): () => void;
  /** Entries from `since` on are to be removed. @returns to be called once they are. */
  truncating(since: number): () => void;
  purged(upto: LogId): void;
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
    readEntries: (since, upto) => storage.readEntries(since, upto),
    logReader: () => storage.logReader(),
    saveCommitted: (committed) => storage.saveCommitted?.(committed),
    readCommitted: () => storage.readCommitted?.() ?? null,
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

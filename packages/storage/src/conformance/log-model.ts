import type { LogId, RaftTypeConfig, StoreIdentity, Vote } from "@seshat/common";
import { ZERO_LOG_ID, formatLogId, formatVote } from "@seshat/common";
import type { CaseRandom } from "./case-random.js";
import { check } from "./check.js";
import { findDifference } from "./difference.js";
import type { StorageBench, Store } from "./storage-bench.js";
import { IDENTITY, noPause } from "./storage-bench.js";

/** What a log half holds at a moment. */
interface LogContents<C extends RaftTypeConfig> {
  readonly identity: StoreIdentity | null;
  readonly vote: Vote | null;
  readonly purged: LogId;
  readonly entries: readonly C["Entry"][];
}

/**
 * What was written to a log half, in order, and how much of it was acknowledged. After a crash it holds what some moment since the last
 * acknowledgement held: anything else is a loss, a reordering or a mixture.
 */
export class LogModel<C extends RaftTypeConfig> {
  #moments: LogContents<C>[] = [{ identity: IDENTITY, vote: null, purged: ZERO_LOG_ID, entries: [] }];
  /** The number of the first moment: those of earlier lives are over. */
  #first = 0;
  #acknowledged = 0;
  #isOver = false;

  get now(): LogContents<C> {
    return this.#moments.at(-1) as LogContents<C>;
  }

  get last(): LogId {
    return this.now.entries.at(-1)?.logId ?? this.now.purged;
  }

  /** A write begins, which changes this much. */
  write(change: Partial<LogContents<C>>): number {
    return this.#first + this.#moments.push({ ...this.now, ...change }) - 1;
  }

  /** The write of this number is durable, and so is all before it. */
  acknowledge(number: number): void {
    if (!this.#isOver && number >= this.#first) this.#acknowledged = Math.max(this.#acknowledged, number);
  }

  /** A crash begins: what is acknowledged from now on is of a life that is over. */
  endLife(): void {
    this.#isOver = true;
  }

  /** Checks what a crash left; that is what everything goes on from. */
  async checkAfterCrash(store: Store<C>): Promise<void> {
    const found: LogContents<C> = {
      identity: await store.log.readIdentity(),
      vote: await store.log.readVote(),
      purged: (await store.log.readLogState()).lastPurgedLogId,
      entries: await store.entries(),
    };
    const allowed = this.#moments.slice(this.#acknowledged - this.#first);
    check(
      allowed.some((moment) => findDifference(found, moment) === null),
      `after a crash it holds ${describe(found)}; acknowledged was ${describe(allowed[0] as LogContents<C>)}, written ${describe(this.now)}`,
    );
    this.#first += this.#moments.length;
    this.#moments = [found];
    this.#acknowledged = this.#first;
    this.#isOver = false;
  }
}

function describe<C extends RaftTypeConfig>({ vote, purged, entries }: LogContents<C>): string {
  const log = entries.map(({ logId }) => formatLogId(logId)).join(" ");
  return `[vote ${vote === null ? "none" : formatVote(vote)}, purged ${formatLogId(purged)}, log ${log}]`;
}

/** Makes one random write, and notes what it is and when it is durable. */
export async function writeAtRandom<C extends RaftTypeConfig>(
  bench: StorageBench<C>,
  store: Store<C>,
  model: LogModel<C>,
  random: CaseRandom,
): Promise<void> {
  const { vote, purged, entries } = model.now;
  const { last } = model;
  const done = async (change: Partial<LogContents<C>>, call: () => unknown): Promise<void> => {
    const number = model.write(change);
    await call();
    model.acknowledge(number);
  };
  const kind = random.integer(0, 9);
  if (kind === 0) {
    const next = { term: (vote?.term ?? 0) + 1, votedFor: random.pick([null, 1, 2]), committed: false };
    await done({ vote: next }, () => store.log.saveVote(next));
  } else if (kind === 1 && entries.length > 0) {
    const since = purged.index + random.integer(1, entries.length);
    const kept = entries.slice(0, since - purged.index - 1);
    await done({ entries: kept }, () => store.log.truncate(since));
  } else if (kind === 2 && entries.length > 0) {
    const { logId } = random.pick(entries);
    const kept = entries.filter((entry) => entry.logId.index > logId.index);
    const applied = await store.machine.readAppliedState();
    // Only what a durable snapshot holds is purged.
    if (applied.lastAppliedLogId.index < logId.index) {
      const { snapshot } = await bench.snapshotUpto(logId);
      await store.machine.installSnapshot(snapshot, noPause);
    }
    await done({ purged: logId, entries: kept }, () => store.log.purge(logId));
  } else {
    const term = last.term + (random.chance(0.2) || last.term === 0 ? 1 : 0);
    const added = Array.from({ length: random.integer(1, 4) }, (_, i) =>
      bench.normal(term, last.index + 1 + i, random.integer(0, 999)),
    );
    let number = 0;
    for (const entry of added) number = model.write({ entries: [...model.now.entries, entry] });
    const { durable } = await store.begin(added);
    const acknowledged = durable.then(() => model.acknowledge(number));
    // A crash may come first, and then it never ends.
    acknowledged.catch(() => {});
    if (random.chance(0.5)) await acknowledged;
  }
}

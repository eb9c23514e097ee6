/** What a run did, by name. A run that tried nothing proves nothing. */
export class Coverage {
  readonly #counts = new Map<string, number>();

  add(what: string, times = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + times);
  }

  count(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  /** Adds what another run did. */
  merge(other: Coverage): void {
    for (const [what, times] of other.#counts) this.add(what, times);
  }

  /** Those of `wanted` that never happened. */
  missing(wanted: readonly string[]): string[] {
    return wanted.filter((what) => this.count(what) === 0);
  }

  /** One line for each, sorted. */
  table(): string {
    const rows = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
    const width = Math.max(0, ...rows.map(([what]) => what.length));
    return rows.map(([what, times]) => `  ${what.padEnd(width)} ${times}`).join("\n");
  }
}

/** What has to happen in a run of thousands of virtual seconds, or the run fails. */
export const WANTED_OF_LONG_RUNS: readonly string[] = [
  "operator addLearner: done",
  "operator addLearner blocking: done",
  "operator addLearner: notLeader",
  "operator promote: done",
  "operator promote: learnerLagging",
  "operator promote: changeInProgress",
  "operator promote lagging: done",
  "operator demote: done",
  "operator remove voter: done",
  "operator remove leader: done",
  "operator remove learner: done",
  "operator replace voters: done",
  "operator replace voters: changeInProgress",
  "operator replace nodes: done",
  "operator batch: done",
  "operator expect: done",
  "operator expect: preconditionFailed",
  "operator nonsense: invalidChange",
  "operator nonsense: learnerNotFound",
  "operator transfer named: done",
  "operator transfer named: transferFailed",
  "operator transfer best: done",
  "operator transfer nonsense: transferFailed",
  "operator transfer while changing: done",
  "operator snapshot: done",
  "operator purge: done",
  "operator elect: done",
  "operator configure: done",
  "repair set address: done",
  "repair remove erased voter: done",
  "repair demote erased voter: done",
  "any change: unknownOutcome",
  "any change: notLeader",
  "any change: quorumNotEnough",
  "any change: transferInProgress",
  "any change: storageStalled",
  "any change: changeInProgress",
  "write: done",
  "write: notLeader",
  "write: unknownOutcome",
  "write: transferInProgress",
  "write: quorumNotEnough",
  "write: storageStalled",
  "write many: done",
  "write aborted: unknownOutcome",
  "session: opened",
  "session write: done",
  "session write: unknownOutcome",
  "session write: done after unknown outcome",
  "session write: answered from the session",
  "read on a leader: done",
  "read on a follower: done",
  "read on a learner: done",
  "read: notLeader",
  "read: timeout",
  "fault partition",
  "fault one-way cut",
  "fault crash",
  "fault crash around an installation",
  "fault crash of a minority",
  "fault crash of all",
  "fault crash lost un-synced entries",
  "fault crash with a new state machine",
  "fault in the middle of a change",
  "fault leaders cut off in a row",
  "fault followers that forget",
  "fault restart",
  "fault hung disk",
  "fault moved",
  "fault erased voter",
  "fault erased learner",
  "fault erased outsider",
  "leader elected",
  "joint left by its own leader",
  "joint left by a new leader",
  "joint seen again after a restart",
  "snapshot built",
  "snapshot received",
  "snapshot transfers",
  "snapshot parts lost",
  "storage stalled",
  "storage resumed",
  "one voter",
  "seven voters",
];

/** What has to happen even in the short runs taken together: what happens in each of them many times. */
export const WANTED_OF_SHORT_RUNS: readonly string[] = [
  "operator addLearner: done",
  "operator promote: done",
  "operator replace voters: done",
  "operator transfer named: done",
  "operator snapshot: done",
  "write: done",
  "write: unknownOutcome",
  "session write: done after unknown outcome",
  "read on a leader: done",
  "read on a follower: done",
  "fault crash lost un-synced entries",
  "fault crash with a new state machine",
  "fault hung disk",
  "joint left by its own leader",
  "snapshot received",
  "storage stalled",
];

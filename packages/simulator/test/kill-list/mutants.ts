import type { Act } from "../../src/faults/act.js";
import type { PlanOptions } from "../../src/faults/plan.js";

/** One place where a mutant differs: the text must occur exactly once in the file, whose path begins in `packages/`. */
export interface Edit {
  readonly file: string;
  readonly replace: string;
  readonly by: string;
}

/** What is laid down about the plans that a mutant is run with. */
export interface MutantPlan extends PlanOptions {
  /** What happens besides, again and again until the faults are over: the time of each act, in milliseconds, from the beginning of a round. */
  readonly rounds?: readonly (readonly [at: number, act: Act])[];
}

/** A rule of the product, broken. */
export interface Mutant {
  readonly id: number;
  readonly name: string;
  readonly edits: readonly Edit[];
  /** What plans are laid down to have: without it the mutant hardly ever makes a difference. */
  readonly plan?: MutantPlan;
  /** The first seed that catches it when the engine's own checks are off, and the properties that may be what it breaks first. */
  readonly caught: { readonly seed: number; readonly by: readonly string[] };
}

const ENGINE = "raft/src/engine";
const DISK = "simulator/src/storage";

/** One bug each, as a careless change could bring it in. The numbers are those of the table in `docs/invariants.md`. */
export const MUTANTS: readonly Mutant[] = [
  {
    id: 1,
    name: "commits on less than a majority",
    caught: { seed: 1, by: ["B6"] },
    edits: [
      {
        file: `${ENGINE}/quorum.ts`,
        replace: "if (voters.length === 1) return valueOf(voters[0] as NodeId, about);",
        by: `const values = voters.map((id) => valueOf(id, about)).sort((a, b) => b - a);
  return values[Math.max(0, majority(voters.length) - 2)] as number;`,
      },
    ],
  },
  {
    id: 2,
    name: "commits entries of earlier terms by counting",
    caught: { seed: 1, by: ["B8"] },
    edits: [
      {
        file: `${ENGINE}/commit.ts`,
        replace: "if (index >= role.firstIndex && index > state.committed.index)",
        by: "if (index > state.committed.index)",
      },
    ],
  },
  {
    id: 3,
    name: "answers a vote request before the vote is synced",
    caught: { seed: 1, by: ["A12"] },
    edits: [{ file: `${ENGINE}/on-vote.ts`, replace: "afterIo: state.io.issued,", by: "afterIo: 0," }],
  },
  {
    id: 4,
    name: "acknowledges an append before it is synced",
    caught: { seed: 1, by: ["A12", "B6"] },
    edits: [
      {
        file: `${ENGINE}/on-append-entries.ts`,
        replace: "response, afterIo: state.io.issued });",
        by: "response, afterIo: 0 });",
      },
    ],
  },
  {
    id: 5,
    name: "forgets in a restart whom it voted for",
    caught: { seed: 1, by: ["A13", "A3"] },
    edits: [
      {
        file: `${DISK}/sim-log-storage.ts`,
        replace: "vote: vote?.value ?? null,",
        by: "vote: vote === null ? null : { ...vote.value, votedFor: null, committed: false },",
      },
    ],
  },
  {
    id: 6,
    name: "compares logs by their length alone",
    plan: {
      size: 3,
      features: [],
      // A leader that nobody hears has a long log that is not to win, and meets one that has heard of another leader.
      rounds: [
        [0, { type: "load", thinkMs: 50 }],
        [300, { type: "partition", kind: "isolate", target: "leader", second: 0 }],
        [310, { type: "flood", target: "leader", writes: 60 }],
        [900, { type: "crash", target: "leader" }],
        [910, { type: "heal" }],
        [1_500, { type: "restart", target: 0 }],
      ],
    },
    caught: { seed: 1, by: ["B4", "B9", "B7", "A8"] },
    edits: [
      {
        file: `${ENGINE}/vote-rule.ts`,
        replace: "return compareLogIds(lastLogId, ctx.state.log.last) >= 0;",
        by: "return lastLogId.index >= ctx.state.log.last.index;",
      },
    ],
  },
  {
    id: 7,
    name: "serves reads without asking a quorum",
    plan: { features: ["partitions"] },
    caught: { seed: 5, by: ["C4", "C8"] },
    edits: [{ file: `${ENGINE}/read-rounds.ts`, replace: "read.round = role.round;", by: "read.round = 0;" }],
  },
  {
    id: 8,
    name: "counts a lease by a wall clock that is set back by 200 ms after each answer",
    plan: {
      size: 3,
      features: [],
      leases: true,
      // A leader is not heard any more.
      rounds: [
        [0, { type: "load", thinkMs: 1 }],
        [300, { type: "slowLinks", target: "leader", slowerMs: 5, muteAfterMs: 20, ms: 1_000 }],
        [1_600, { type: "load", thinkMs: 1 }],
      ],
    },
    caught: { seed: 4, by: ["C4", "C5", "C8"] },
    edits: [
      {
        file: `${ENGINE}/leadership.ts`,
        replace: "return ctx.now < lastQuorumAck(ctx.state, role) + leaseMs;",
        by: "return ctx.now - 200 < lastQuorumAck(ctx.state, role) + leaseMs;",
      },
    ],
  },
  {
    id: 9,
    name: "truncates after what a request carries, also without a conflict",
    caught: { seed: 1, by: ["A12", "A8", "B6"] },
    edits: [
      {
        file: `${ENGINE}/on-append-entries.ts`,
        replace: "const matchIndex = prevLogId.index + entries.length;",
        by: `const matchIndex = prevLogId.index + entries.length;
  if (entries.length > 0 && matchIndex < log.last.index && matchIndex >= ctx.state.committed.index) {
    truncateLog(ctx, matchIndex + 1);
  }`,
      },
    ],
  },
  {
    id: 10,
    name: "takes the answer to an earlier request for one to the newest",
    caught: { seed: 1, by: ["B6"] },
    edits: [
      {
        file: `${ENGINE}/on-append-entries-response.ts`,
        replace: "noteSuccess(progress, Math.min(response.matchIndex, request.upto));",
        by: "noteSuccess(progress, progress.inFlight.at(-1)?.upto ?? request.upto);",
      },
    ],
  },
  {
    id: 11,
    name: "installs a snapshot over newer state",
    plan: { features: ["badNetwork", "membership", "compaction", "reusedIds", "erasedDisks"] },
    caught: { seed: 36, by: ["A5", "A9", "A4"] },
    edits: [
      {
        file: `${ENGINE}/on-install-snapshot.ts`,
        replace: "if (accepted && meta.lastLogId.index > state.committed.index) {",
        by: "if (accepted) {",
      },
      {
        file: `${ENGINE}/on-install-snapshot.ts`,
        replace:
          "const isNewer = meta.lastLogId.index > committed.index && compareLogIds(meta.lastLogId, committed) > 0;",
        by: "const isNewer = true || compareLogIds(meta.lastLogId, committed) > 0;",
      },
      {
        file: "storage/src/mem/applied-machine.ts",
        replace: "if (last.index >= applied.index && compareLogIds(last, applied) >= 0) return;",
        by: "if (last.index >= 0 || compareLogIds(last, applied) >= 0) return;",
      },
    ],
  },
  {
    id: 12,
    name: "installs a snapshot without its membership",
    caught: { seed: 1, by: ["B12"] },
    edits: [
      {
        file: `${ENGINE}/on-install-snapshot.ts`,
        replace: "adoptSnapshotMembership(state, lastMembership, lastLogId.index);",
        by: "adoptSnapshotMembership(state, state.memberships[0] ?? lastMembership, lastLogId.index);",
      },
    ],
  },
  {
    id: 13,
    name: "goes by a membership only once it is committed",
    caught: { seed: 1, by: ["D", "B6", "B10", "A10"] },
    edits: [
      {
        file: `${ENGINE}/membership-state.ts`,
        replace: "return state.memberships[state.memberships.length - 1] as StoredMembership<unknown>;",
        by: "return state.memberships[0] as StoredMembership<unknown>;",
      },
    ],
  },
  {
    id: 14,
    name: "forgets the old majority while the membership is joint",
    caught: { seed: 17, by: ["B6", "B4"] },
    edits: [
      {
        file: `${ENGINE}/joint-config.ts`,
        replace: "for (let i = 0; i < configs.length; i++)",
        by: "for (let i = configs.length - 1; i < configs.length; i++)",
      },
      {
        file: `${ENGINE}/joint-config.ts`,
        replace: "configs.every((voters)",
        by: "configs.slice(-1).every((voters)",
      },
    ],
  },
  {
    id: 15,
    name: "applies a command twice that was sent again",
    caught: { seed: 2, by: ["C2", "C6", "C8"] },
    edits: [
      {
        file: "storage/src/sessions/session-table.ts",
        replace: "else if (kept !== undefined) outcome = this.#codec.decode(new Uint8Array(kept));",
        by: "else if (kept !== undefined) outcome = apply();",
      },
    ],
  },
  {
    id: 16,
    name: "purges past what the snapshot covers",
    caught: { seed: 1, by: ["A1"] },
    edits: [
      {
        file: `${ENGINE}/snapshot.ts`,
        replace: "const index = Math.min(upto, snapshot.lastLogId.index);",
        by: "const index = Math.min(upto + 10, ctx.state.applied.index);",
      },
    ],
  },
  {
    id: 17,
    name: "goes on after a failed sync as if it had worked",
    caught: { seed: 13, by: ["A13", "A12"] },
    edits: [
      {
        file: `${DISK}/log-file.ts`,
        replace: `failure = this.#store.fail("append", thrown);`,
        by: "void thrown;",
      },
    ],
  },
  {
    id: 18,
    name: "does not take over the later term of a refusal",
    caught: { seed: 1, by: ["A2"] },
    edits: [
      {
        file: `${ENGINE}/on-append-entries-response.ts`,
        replace: "observeTerm(ctx, response.term);",
        by: "if (response.term === 0) observeTerm(ctx, response.term);",
      },
    ],
  },
  {
    id: 19,
    name: "counts a removed node on, until its removal is committed",
    caught: { seed: 1, by: ["D", "B6"] },
    edits: [
      {
        file: `${ENGINE}/commit.ts`,
        replace: "const index = jointQuorumValue(membershipOf(state).configs, durableOn, state);",
        by: "const index = jointQuorumValue((state.memberships[0] ?? { membership: membershipOf(state) }).membership.configs, durableOn, state);",
      },
    ],
  },
  {
    id: 20,
    name: "applies a batch in another order than the log's",
    caught: { seed: 1, by: ["B5", "C3", "C6"] },
    edits: [
      {
        file: "storage/src/mem/applied-machine.ts",
        replace: "for (const entry of entries) {",
        by: `const commands = entries.filter(({ payload }) => payload.type === "normal").map(({ payload }) => payload);
    const turned = entries.map((entry) =>
      entry.payload.type === "normal" ? { ...entry, payload: commands.pop() as typeof entry.payload } : entry,
    );
    for (const entry of turned) {`,
      },
    ],
  },
  {
    id: 21,
    name: "counts learners toward a majority",
    caught: { seed: 1, by: ["B6"] },
    edits: [
      {
        file: `${ENGINE}/quorum.ts`,
        replace: "if (voters.length === 1) return valueOf(voters[0] as NodeId, about);",
        by: `const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((id) => valueOf(id, about)).sort((a, b) => b - a);
  return values[majority(voters.length) - 1] as number;`,
      },
    ],
  },
  {
    id: 22,
    name: "answers a time-out as if nothing had been done",
    caught: { seed: 18, by: ["C9", "C8"] },
    edits: [
      {
        file: "raft/src/runtime/guarded-write.ts",
        replace: "if (door.withdraw(writers)) fail(reason);",
        by: "if (door.withdraw(writers) || reason instanceof TimeoutError) fail(reason);",
      },
    ],
  },
  {
    id: 23,
    name: "gives reads an index before an entry of its own term is committed",
    caught: { seed: 2, by: ["C4", "C8"] },
    edits: [
      {
        file: `${ENGINE}/read-rounds.ts`,
        replace: "if (role.reads.length === 0 || state.committed.index < role.firstIndex) return;",
        by: "if (role.reads.length === 0) return;",
      },
    ],
  },
  {
    id: 24,
    name: "accepts a torn tail of the log when it starts",
    caught: { seed: 3, by: ["A13", "D"] },
    edits: [
      {
        file: `${DISK}/recover-log.ts`,
        replace: "if (record === null) return disk.truncate(file, place.offset);",
        by: "if (record === null) return;",
      },
    ],
  },
  {
    id: 25,
    name: "applies what is committed but not durable on its own disk",
    caught: { seed: 1, by: ["A1"] },
    edits: [
      {
        file: `${ENGINE}/commit.ts`,
        replace: "const upto = Math.min(state.committed.index, state.io.durableIndex);",
        by: "const upto = state.committed.index;",
      },
    ],
  },
  {
    id: 26,
    name: "counts a joint membership as one set of voters",
    caught: { seed: 2, by: ["B6", "B4"] },
    edits: [
      {
        file: `${ENGINE}/joint-config.ts`,
        replace: "quorumValue(configs[i] as readonly NodeId[], valueOf, about)",
        by: "quorumValue([...new Set(configs.flat())], valueOf, about)",
      },
    ],
  },
  {
    id: 27,
    name: "brings truncated entries back in a restart",
    plan: {
      size: 3,
      features: [],
      // What a leader has that nobody hears is truncated once it hears of another; then all restart, one after another.
      rounds: [
        [0, { type: "load", thinkMs: 20 }],
        [300, { type: "partition", kind: "isolate", target: "leader", second: 0 }],
        [310, { type: "flood", target: "leader", writes: 20 }],
        [900, { type: "heal" }],
        ...[0.1, 0.5, 0.9].flatMap((target, i): (readonly [number, Act])[] => [
          [1_100 + 200 * i, { type: "crash", target }],
          [1_150 + 200 * i, { type: "restart", target: 0 }],
        ]),
      ],
    },
    caught: { seed: 1, by: ["A13"] },
    edits: [
      {
        file: `${DISK}/sim-log-storage.ts`,
        replace: "writer.write(TRUNCATE_RECORD, (payload) => writeLogId(payload, last));",
        by: "if (last.index < 0) writer.write(TRUNCATE_RECORD, (payload) => writeLogId(payload, last));",
      },
    ],
  },
  {
    id: 28,
    name: "counts a lease from the arrival of an answer instead of the sending of the question",
    plan: {
      size: 3,
      features: [],
      leases: true,
      // A leader hears late, though not too late for an answer to count, and then is not heard any more.
      rounds: [
        [0, { type: "load", thinkMs: 1 }],
        [300, { type: "slowLinks", target: "leader", slowerMs: 140, muteAfterMs: 200, ms: 1_000 }],
        [1_600, { type: "load", thinkMs: 1 }],
      ],
    },
    caught: { seed: 1, by: ["C4", "C5", "C8"] },
    edits: [
      {
        file: `${ENGINE}/on-append-entries-response.ts`,
        replace: "noteAnswer(progress, request, ctx.now);",
        by: "noteAnswer(progress, { ...request, sentAt: ctx.now }, ctx.now);",
      },
    ],
  },
  {
    id: 29,
    name: "founds a cluster without the votes of term 0",
    plan: { features: ["rivalFoundings"] },
    caught: { seed: 1, by: ["B1", "B2"] },
    edits: [
      {
        file: "raft/src/runtime/founding.ts",
        replace: "const store = await question.vote();",
        by: "const store = await question.preVote();",
      },
    ],
  },
  {
    id: 30,
    name: "says that it has a snapshot before it has installed it",
    plan: { size: 3, features: ["compaction", "outages", "disks"] },
    caught: { seed: 1, by: ["A12"] },
    edits: [
      {
        file: "raft/src/runtime/snapshot-receiver.ts",
        replace: "  /** The snapshot that is complete. */",
        by: "  get isComplete() { return this.#complete !== null; }",
      },
      {
        file: "raft/src/runtime/executor.ts",
        replace: 'this.#signed({ type: "progress", term, nextOffset })',
        by: 'this.#signed(this.#receiver.isComplete ? { type: "installed", term } : { type: "progress", term, nextOffset })',
      },
    ],
  },
  {
    id: 31,
    name: "is recovered in the term that it was in",
    plan: { features: ["disasters", "bursts"] },
    caught: { seed: 1, by: ["D", "D6"] },
    edits: [
      {
        file: "raft/src/recover.ts",
        replace: "const term = nextTerm(vote.term);",
        by: "const { term } = vote;",
      },
    ],
  },
];

import type { EngineStep } from "@seshat/raft";

type State = EngineStep["state"];
type Event = EngineStep["event"];
type Command = EngineStep["commands"][number];
type Role = State["role"]["type"];
type Mode = NonNullable<
  ReturnType<Extract<State["role"], { readonly type: "leader" }>["progress"]["get"]>
>["mode"];

/** What a protocol can come to, as seen from the steps of its engines. */
export const PROTOCOL_ROWS = [
  "role: learner",
  "role: follower",
  "role: preCandidate",
  "role: candidate",
  "role: leader",
  "election: won",
  "election: lost to another",
  "election: no majority in time",
  "election: won with entries of earlier terms uncommitted",
  "pre-vote: granted",
  "pre-vote: refused",
  "vote: granted",
  "vote: refused",
  "step-down: a later term",
  "step-down: no quorum answers",
  "step-down: storage stalled",
  "step-down: no voter any more",
  "replication: probe",
  "replication: pipeline",
  "replication: snapshot",
  "replication: conflict found",
  "replication: conflict truncated",
  "replication: refused",
  "replication: lost in between",
  "commit: of more than the leader has durable",
  "commit: by a leader that does not vote",
  "commit: told beyond the log",
  "membership: joint",
  "membership: joint when elected",
  "membership: rolled back by a truncation",
  "membership: change abandoned",
  "snapshot: built",
  "snapshot: sent",
  "snapshot: received",
  "snapshot: installed",
  "snapshot: dropped",
  "log: purged",
  "read: confirmed by a round",
  "read: by lease",
  "read: asked of the leader",
  "read: before the leader's first commit",
  "read: refused",
  "write: refused",
  "write: abandoned",
  "transfer: asked to take over",
  "transfer: taken over",
  "transfer: declined",
  "transfer: failed",
  "storage: stalled",
  "storage: recovered from a stall",
  "start: empty",
  "start: from a snapshot",
  "start: with entries not known to be committed",
  "start: in a joint membership",
  "start: abstains from elections for a while",
] as const;

export type ProtocolRow = (typeof PROTOCOL_ROWS)[number];

const ROW_OF_MODE: Readonly<Record<Mode, ProtocolRow>> = {
  probe: "replication: probe",
  pipeline: "replication: pipeline",
  snapshot: "replication: snapshot",
};

/** Counts what protocol states a run reaches. */
export class ProtocolCoverage {
  readonly counts: Record<ProtocolRow, number> = Object.fromEntries(
    PROTOCOL_ROWS.map((row) => [row, 0]),
  ) as Record<ProtocolRow, number>;

  /** A life of a node begins. @returns what counts its steps. */
  started(state: State): (step: EngineStep) => void {
    const { counts } = this;
    const { log, snapshot, committed, vote } = state;
    if (vote.term === 0 && log.last.index === 0) counts["start: empty"] += 1;
    if (snapshot.lastLogId.index > 0) counts["start: from a snapshot"] += 1;
    if (log.last.index > committed.index) counts["start: with entries not known to be committed"] += 1;
    if (isJoint(state)) counts["start: in a joint membership"] += 1;
    if (state.abstainUntil > 0) counts["start: abstains from elections for a while"] += 1;
    const life = new LifeCoverage(counts, state);
    return (step) => life.step(step);
  }
}

class LifeCoverage {
  readonly #counts: Record<ProtocolRow, number>;
  #role: Role | null = null;
  #term: number;
  #memberships: number;
  #joint = false;
  #committed: number;
  #quorumLost = false;

  constructor(counts: Record<ProtocolRow, number>, state: State) {
    this.#counts = counts;
    this.#term = state.vote.term;
    this.#memberships = state.memberships.length;
    this.#committed = state.committed.index;
  }

  step({ event, commands, state }: EngineStep): void {
    this.#event(event, state);
    for (const command of commands) this.#command(command, event, state);
    if (state.role.type !== this.#role || state.vote.term !== this.#term) this.#transition(state);
    if (state.committed.index > this.#committed) this.#commit(state);
    const joint = isJoint(state);
    if (joint && !this.#joint) this.#counts["membership: joint"] += 1;
    this.#joint = joint;
    this.#memberships = state.memberships.length;
    this.#quorumLost = state.quorumLost;
  }

  #transition(state: State): void {
    const counts = this.#counts;
    const { role, vote, committed, stalled } = state;
    const before = this.#role;
    if (role.type !== before) counts[`role: ${role.type}`] += 1;
    if (role.type === "leader" && before !== "leader") {
      counts["election: won"] += 1;
      if (committed.index < role.firstIndex - 1)
        counts["election: won with entries of earlier terms uncommitted"] += 1;
      if (isJoint(state)) counts["membership: joint when elected"] += 1;
    }
    if (before === "candidate" && role.type !== "leader") {
      const isOver = role.type === "preCandidate" || role.type === "candidate";
      counts[isOver ? "election: no majority in time" : "election: lost to another"] += 1;
    }
    if (before === "leader" && role.type !== "leader") {
      if (vote.term > this.#term) counts["step-down: a later term"] += 1;
      else if (state.quorumLost && !this.#quorumLost) counts["step-down: no quorum answers"] += 1;
      else if (stalled !== null) counts["step-down: storage stalled"] += 1;
      else if (!votes(state)) counts["step-down: no voter any more"] += 1;
    }
    this.#role = role.type;
    this.#term = vote.term;
  }

  #commit(state: State): void {
    const { committed, io, role } = state;
    this.#committed = committed.index;
    if (role.type !== "leader") return;
    if (committed.index > io.durableIndex) this.#counts["commit: of more than the leader has durable"] += 1;
    if (!votes(state)) this.#counts["commit: by a leader that does not vote"] += 1;
  }

  #event(event: Event, state: State): void {
    const counts = this.#counts;
    switch (event.type) {
      case "preVoteResponse":
        counts[event.response.granted ? "pre-vote: granted" : "pre-vote: refused"] += 1;
        break;
      case "voteResponse":
        counts[event.response.granted ? "vote: granted" : "vote: refused"] += 1;
        break;
      case "appendEntriesRequest":
        if (event.request.leaderCommit > state.log.last.index) counts["commit: told beyond the log"] += 1;
        break;
      case "appendEntriesResponse":
        if (event.response.type === "conflict") counts["replication: conflict found"] += 1;
        if (event.response.type === "refused") counts["replication: refused"] += 1;
        if (state.role.type === "leader") {
          const mode = state.role.progress.get(event.from)?.mode;
          if (mode !== undefined) counts[ROW_OF_MODE[mode]] += 1;
        }
        break;
      case "appendEntriesFailed":
        counts["replication: lost in between"] += 1;
        break;
      case "snapshotBuilt":
        counts["snapshot: built"] += 1;
        break;
      case "snapshotReceived":
        counts["snapshot: received"] += 1;
        break;
      case "snapshotInstalled":
        counts["snapshot: installed"] += 1;
        break;
      case "timeoutNowAnswered":
        counts[event.accepted ? "transfer: taken over" : "transfer: declined"] += 1;
        break;
      case "storageStalled":
        counts[event.verb === null ? "storage: recovered from a stall" : "storage: stalled"] += 1;
        break;
      case "readIndex":
        if (state.role.type === "leader" && state.committed.index < state.role.firstIndex)
          counts["read: before the leader's first commit"] += 1;
        break;
      default:
    }
  }

  #command(command: Command, event: Event, state: State): void {
    const counts = this.#counts;
    switch (command.type) {
      case "truncate":
        counts["replication: conflict truncated"] += 1;
        if (state.memberships.length < this.#memberships)
          counts["membership: rolled back by a truncation"] += 1;
        break;
      case "purge":
        counts["log: purged"] += 1;
        break;
      case "sendSnapshot":
        counts["snapshot: sent"] += 1;
        counts["replication: snapshot"] += 1;
        break;
      case "dropSnapshot":
        counts["snapshot: dropped"] += 1;
        break;
      case "readReady":
        // A read that is ready in the step that asked for it waited for nobody.
        counts[
          event.type === "readIndex" && event.policy === "lease"
            ? "read: by lease"
            : "read: confirmed by a round"
        ] += 1;
        break;
      case "refuseReads":
        counts["read: refused"] += 1;
        break;
      case "sendReadIndex":
        counts["read: asked of the leader"] += 1;
        break;
      case "refuseWrites":
        counts["write: refused"] += 1;
        break;
      case "abandonWrites":
        counts["write: abandoned"] += 1;
        break;
      case "abandonChange":
        counts["membership: change abandoned"] += 1;
        break;
      case "sendTimeoutNow":
        counts["transfer: asked to take over"] += 1;
        break;
      case "reply":
        if (command.refusal?.code === "transferFailed") counts["transfer: failed"] += 1;
        break;
      default:
    }
  }
}

function effective(state: State): State["memberships"][number]["membership"] | undefined {
  return state.memberships.at(-1)?.membership;
}

function isJoint(state: State): boolean {
  return (effective(state)?.configs.length ?? 0) > 1;
}

function votes(state: State): boolean {
  return effective(state)?.configs.some((config) => config.includes(state.id)) ?? false;
}

import type { LogId, NodeId } from "@seshat/common";
import { InvalidValueError, checkInteger, checkNodeId } from "@seshat/common";
import { checkLogId, checkObject } from "./check-message.js";
import { checkSnapshotPolicy, checkTimeoutMs, snapshotSwitches } from "./config.js";
import type { SnapshotPolicy } from "./config.js";
import type { EngineSwitches, MembershipChange } from "./engine/event.js";
import type { Patience } from "./runtime/patience.js";
import { checkPatience } from "./write-options.js";

/** How a cluster is founded. */
export interface InitializeOptions {
  /** How long to wait for the other founders to answer, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

/** How the membership is changed. Everything may be left out. */
export interface ChangeMembershipOptions extends Patience {
  /** Keep voters that are removed as learners. Default false: they are no members any more. */
  readonly retain?: boolean;
  /**
   * Let nodes vote that do not answer, or are more than `config.replicationLagThreshold` entries behind, and let no majority be left
   * of voters that do not. Default false.
   */
  readonly allowLagging?: boolean;
  /** Change it only while this node leads this term; otherwise `PreconditionFailedError`. */
  readonly leaderTerm?: number;
  /** Change it only while the membership in force is the one of this entry; otherwise `PreconditionFailedError`. */
  readonly membershipLogId?: LogId;
}

/** How a learner is added. */
export interface AddLearnerOptions extends Patience {
  /** Wait until it has the log but for `config.replicationLagThreshold` entries, so that it may become a voter. Default false. */
  readonly blocking?: boolean;
}

/** To whom the leadership goes. */
export interface TransferLeaderOptions {
  /** Default: the voter that has most of the log. */
  readonly to?: NodeId;
  /** After this long the transfer is given up, and this node serves again. In milliseconds; default `config.electionTimeoutMaxMs`. */
  readonly timeoutMs?: number;
}

/** What can be changed while a node runs. What is left out stays. */
export interface RuntimeSwitches {
  /** False: time stands still for this node, and it does nothing by itself. What a caller gave a time ends with that all the same. */
  readonly tick?: boolean;
  /** False: as leader it sends no heartbeats. */
  readonly heartbeat?: boolean;
  /** False: it does not stand for election by itself. */
  readonly elect?: boolean;
  /** False: it stands without asking first whether it would win. */
  readonly preVote?: boolean;
  /** When snapshots are taken by themselves. */
  readonly snapshotPolicy?: SnapshotPolicy;
}

/** Changes that one change may hold, however deep. */
const MAX_CHANGES = 1024;

const FOUNDING_TIMEOUT_MS = 10_000;

/** @returns how long to wait. @throws {InvalidValueError} that names the option. */
export function checkInitializeOptions(options: InitializeOptions): number {
  checkObject("options", options);
  checkKnown("options", options, ["timeoutMs"]);
  return checkTimeoutMs("options.timeoutMs", options.timeoutMs ?? FOUNDING_TIMEOUT_MS);
}

/** @throws {InvalidValueError} that names the option; an unknown one is one too, because a slip changes who belongs to the cluster. */
export function checkChangeOptions(options: ChangeMembershipOptions): void {
  checkPatience(options);
  checkKnown("options", options, [...PATIENCE, "retain", "allowLagging", "leaderTerm", "membershipLogId"]);
  for (const field of ["retain", "allowLagging"] as const) checkFlag(`options.${field}`, options[field]);
  if (options.leaderTerm !== undefined) checkInteger("options.leaderTerm", options.leaderTerm, 1);
  if (options.membershipLogId !== undefined) checkLogId("options.membershipLogId", options.membershipLogId);
}

/** @throws {InvalidValueError} that names the option. */
export function checkAddLearnerOptions(options: AddLearnerOptions): void {
  checkPatience(options);
  checkKnown("options", options, [...PATIENCE, "blocking"]);
  checkFlag("options.blocking", options.blocking);
}

/** @throws {InvalidValueError} that names the option that is not one. */
export function checkTransferOptions(options: TransferLeaderOptions): void {
  checkObject("options", options);
  checkKnown("options", options, ["to", "timeoutMs"]);
}

const PATIENCE = ["signal", "timeoutMs"] as const;

function checkKnown(name: string, given: object, known: readonly string[]): void {
  for (const field of Object.keys(given)) {
    if (!known.includes(field))
      throw new InvalidValueError(`${name}.${field}`, "set", `one of ${known.join(", ")}`);
  }
}

/**
 * A change as the caller gave it: a set of voters stands for the change to exactly those.
 *
 * @throws {InvalidValueError} when it is none.
 */
export function checkChange<N>(change: MembershipChange<N> | Iterable<NodeId>): MembershipChange<N> {
  checkObject("change", change);
  if (Symbol.iterator in change) return checkChange<N>({ type: "replaceVoters", ids: [...change] });
  return copyChange("change", change, { left: MAX_CHANGES });
}

function copyChange<N>(
  field: string,
  change: MembershipChange<N>,
  budget: { left: number },
): MembershipChange<N> {
  checkObject(field, change);
  budget.left -= 1;
  if (budget.left < 0) throw new InvalidValueError(field, change, `at most ${MAX_CHANGES} changes`);
  switch (change.type) {
    case "replaceVoters":
    case "addVoters":
    case "removeVoters":
    case "removeNodes":
      return { type: change.type, ids: checkIds(`${field}.ids`, change.ids) };
    case "addNodes":
    case "setNodes":
    case "replaceNodes":
      return { type: change.type, nodes: checkNodes(`${field}.nodes`, change.nodes) };
    case "batch": {
      if (!Array.isArray(change.changes))
        throw new InvalidValueError(`${field}.changes`, change.changes, "an array of changes");
      const changes = change.changes as readonly MembershipChange<N>[];
      return {
        type: "batch",
        changes: changes.map((inner) => copyChange(`${field}.changes`, inner, budget)),
      };
    }
    default: {
      const { type }: { type: unknown } = change satisfies never;
      throw new InvalidValueError(
        `${field}.type`,
        type,
        "replaceVoters, addVoters, removeVoters, addNodes, setNodes, removeNodes, replaceNodes or batch",
      );
    }
  }
}

function checkIds(field: string, ids: readonly NodeId[]): NodeId[] {
  if (!Array.isArray(ids)) throw new InvalidValueError(field, ids, "an array of node ids");
  return (ids as readonly NodeId[]).map((id) => checkNodeId(field, id));
}

function checkNodes<N>(field: string, nodes: Iterable<readonly [NodeId, N]>): (readonly [NodeId, N])[] {
  const pairs = checkPairs(field, nodes);
  for (const [id] of pairs) checkNodeId(field, id);
  return pairs;
}

/**
 * Pairs of id and node, with whatever ids.
 *
 * @throws {InvalidValueError} that names `field`.
 */
export function checkPairs<N>(
  field: string,
  nodes: Iterable<readonly [NodeId, N]>,
): (readonly [NodeId, N])[] {
  checkObject(field, nodes);
  if (typeof nodes[Symbol.iterator] !== "function")
    throw new InvalidValueError(field, nodes, "pairs of id and node");
  return [...nodes].map((pair) => {
    if (!Array.isArray(pair)) throw new InvalidValueError(field, pair, "a pair of id and node");
    const [id, node] = pair as readonly [NodeId, N];
    return [id, node] as const;
  });
}

function checkFlag(field: string, value: unknown): void {
  if (value !== undefined && typeof value !== "boolean")
    throw new InvalidValueError(field, value, "true or false");
}

const FLAGS = ["tick", "heartbeat", "elect", "preVote"] as const;

/** @throws {InvalidValueError} that names the switch; an unknown one is one too. */
export function checkSwitches(switches: RuntimeSwitches): Partial<EngineSwitches> {
  checkObject("switches", switches);
  checkKnown("switches", switches, [...FLAGS, "snapshotPolicy"]);
  const { snapshotPolicy, ...flags } = switches;
  for (const field of FLAGS) checkFlag(`switches.${field}`, flags[field]);
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  if (snapshotPolicy === undefined) return given;
  checkSnapshotPolicy("switches.snapshotPolicy", snapshotPolicy);
  return { ...given, ...snapshotSwitches(snapshotPolicy) };
}

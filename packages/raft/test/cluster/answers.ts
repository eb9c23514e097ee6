import type { AppendEntriesRequest, LogId, Membership, NodeId } from "@seshat/common";
import { equalLogIds, isJoint, isVoter, voterIds } from "@seshat/common";
import type { Refusal } from "../../src/engine/command.js";
import type { Event, MembershipChange } from "../../src/engine/event.js";
import type { ChangeQuestion, Life } from "./life.js";
import type { Address, PartsTaken, Request } from "./network.js";
import { must } from "./must.js";
import { respond } from "./post.js";

/** What a node says to others, held back until it is true, and checked when it is said. */

/** Holds `release` back until a write is durable. */
export function after(life: Life, afterIo: number, release: () => void): void {
  if (afterIo <= life.persisted || life.world.sabotage === "answersEarly") release();
  else life.gate.push({ afterIo, release });
}

/** Answers a request of type `type`, once a write is durable. */
export function answer<T extends Request["type"]>(
  life: Life,
  type: T,
  rpcId: number,
  afterIo: number,
  makeEvent: (request: Extract<Request, { type: T }>, address: Address) => Event | PartsTaken,
): void {
  const rpc = life.requests.get(rpcId);
  if (rpc === undefined) throw new Error(`node ${life.id} answers request ${rpcId} twice`);
  if (rpc.request.type !== type) throw new Error(`a ${type} answer to a ${rpc.request.type} request`);
  const request = rpc.request as Extract<Request, { type: T }>;
  life.requests.delete(rpcId);
  after(life, afterIo, () => respond(life, rpc.address, makeEvent(request, rpc.address)));
}

/** A term that is told is durable. */
export function mustKnowTerm({ id, disk }: Life, term: number): void {
  must(disk.vote.term >= term, `node ${id} answers in a term that is not durable`);
}

/** A vote that is told is on the disk, or the disk is past it. */
export function mustHaveVoted({ id, disk }: Life, term: number, candidate: NodeId): void {
  const { vote } = disk;
  must(
    vote.term > term || (vote.term === term && vote.votedFor === candidate),
    `the vote of node ${id} for ${candidate} in term ${term} is told before it is durable`,
  );
}

/** Entries that are acknowledged are on the disk, or the disk is past their leader. */
export function mustHaveLogged({ id, disk }: Life, request: AppendEntriesRequest): void {
  const last = request.entries.at(-1)?.logId ?? request.prevLogId;
  must(
    disk.vote.term > request.term || last.index < disk.log.purged.index || disk.log.has(last),
    `node ${id} acknowledges entry ${last.index} before it is durable`,
  );
}

/** What a snapshot holds that is acknowledged is on the disk, and at a restart the log goes on after it. */
export function mustHaveInstalled({ id, disk }: Life, lastLogId: LogId): void {
  must(
    disk.holds(lastLogId),
    `node ${id} acknowledges a snapshot up to ${lastLogId.index} that it does not have`,
  );
}

/** The answer to a question that somebody asked this node. */
export function settle(life: Life, requestId: number, refusal: Refusal | null): void {
  const question = life.questions.get(requestId);
  if (question === undefined) throw new Error(`node ${life.id} answers question ${requestId} twice`);
  life.questions.delete(requestId);
  if (refusal !== null) return;
  const { id, world, disk } = life;
  switch (question.type) {
    case "change":
      throw new Error(`node ${id} answers a membership change without a membership`);
    case "transfer":
      if (question.target !== null && question.target !== id) {
        must(
          world.oracle.led(question.target, question.term),
          `node ${id} says that node ${question.target} took over, which it did not`,
        );
      }
      world.oracle.count("transfers");
      return;
    case "snapshot":
      must(
        disk.snapshot.applied.index >= question.applied,
        `node ${id} has no snapshot up to ${question.applied}`,
      );
      return;
    case "install":
      return mustHaveInstalled(life, question.lastLogId);
    case "initialize":
      return undefined;
    default:
      return question satisfies never;
  }
}

/** The membership change that somebody asked for is said to be done. */
export function settleChange(
  life: Life,
  requestId: number,
  membership: Membership<unknown>,
  logId: LogId,
): void {
  const question = life.questions.get(requestId);
  if (question?.type !== "change")
    throw new Error(`node ${life.id} changed a membership that nobody asked for`);
  life.questions.delete(requestId);
  must(!isJoint(membership), `a change is said to be done at ${logId.index}, which is joint`);
  life.world.oracle.changed(logId, membership);
  mustFollow(question, membership, logId);
  must(
    isFulfilled(membership, question.change),
    `${JSON.stringify(question.change)} is said to be done, and led to ${JSON.stringify(membership.configs)}`,
  );
}

/** What was asked for under conditions was done under them, and who was to go is gone. */
function mustFollow(
  { change, retain, expect, before }: ChangeQuestion,
  membership: Membership<unknown>,
  logId: LogId,
): void {
  must(
    expect?.leaderTerm === undefined || expect.leaderTerm === logId.term,
    `a change at ${logId.index} was for the leader of term ${expect?.leaderTerm} only`,
  );
  if (before === null || isJoint(before.membership)) return;
  must(
    expect?.membershipLogId === undefined || equalLogIds(expect.membershipLogId, before.logId),
    `a change at ${logId.index} was for the membership of ${expect?.membershipLogId?.index} only`,
  );
  if (change.type !== "replaceVoters" && change.type !== "removeVoters") return;
  for (const id of voterIds(before.membership)) {
    must(
      isVoter(membership, id) || membership.nodes.has(id) === retain,
      `node ${id} was removed at ${logId.index}, and is ${retain ? "gone" : "still there"}`,
    );
  }
}

function isFulfilled({ configs, nodes }: Membership<unknown>, change: MembershipChange<unknown>): boolean {
  const voters = configs[0] ?? [];
  switch (change.type) {
    case "replaceVoters":
      return new Set(change.ids).size === voters.length && change.ids.every((id) => voters.includes(id));
    case "addVoters":
      return change.ids.every((id) => voters.includes(id));
    case "removeVoters":
      return change.ids.every((id) => !voters.includes(id));
    case "addNodes":
    case "setNodes":
      return change.nodes.every(([id]) => nodes.has(id));
    case "removeNodes":
      return change.ids.every((id) => !nodes.has(id));
    case "replaceNodes":
      return nodes.size === change.nodes.length && change.nodes.every(([id]) => nodes.has(id));
    case "batch": {
      const last = change.changes.at(-1);
      return last === undefined || isFulfilled({ configs, nodes } as Membership<unknown>, last);
    }
    default:
      return change satisfies never;
  }
}

import type { LogId } from "@seshat/common";
import type { Command } from "../../src/engine/command.js";
import {
  after,
  answer,
  mustHaveInstalled,
  mustHaveLogged,
  mustHaveVoted,
  mustKnowTerm,
  settle,
  settleChange,
} from "./answers.js";
import type { Entry } from "./disk.js";
import type { Life, OpenRead } from "./life.js";
import { must } from "./must.js";
import { ask, respond } from "./post.js";
import { beginToSend, takePart } from "./snapshots.js";

/** Starts to carry out one command of a step. */
export function execute(life: Life, command: Command): void {
  const { id, disk, world } = life;
  const { oracle } = world;
  switch (command.type) {
    case "refuseWrites":
      return;
    case "abandonWrites":
      if (life.engine.state.quorumLost) oracle.count("quorumsLost");
      for (const index of life.waiting) if (index >= command.since) life.waiting.delete(index);
      return;
    case "append":
      oracle.appended(id, life.log, life.membership(), command.entries);
      life.log.append(command.entries);
      life.pending.push(command);
      return;
    case "truncate":
      must(
        command.since > life.dispatched || isInstalled(life, command.since),
        `node ${id} truncates ${command.since}, which is being applied`,
      );
      life.log.truncate(command.since);
      life.pending.push(command);
      return;
    case "purge":
      must(command.upto.index <= disk.snapshot.applied.index, `node ${id} purges past its snapshot`);
      life.log.purge(command.upto);
      life.pending.push(command);
      return;
    case "saveVote":
    case "saveCommitted":
      life.pending.push(command);
      return;
    case "apply": {
      must(command.since === life.dispatched + 1, `node ${id} skips or repeats ${command.since}`);
      must(life.complete?.step !== "installing", `node ${id} applies while it installs a snapshot`);
      const last = life.log.idAt(command.upto);
      must(
        last !== undefined && disk.log.has(last),
        `node ${id} applies ${command.upto} before it is durable`,
      );
      life.dispatched = command.upto;
      for (let index = command.since; index <= command.upto; index++) life.waiting.delete(index);
      return;
    }
    case "buildSnapshot":
      must(life.building === null, `node ${id} builds two snapshots at once`);
      must(life.engine.state.snapshot.installing === null, `node ${id} builds a snapshot and installs one`);
      life.building = { after: life.dispatched, state: null };
      return;
    case "installSnapshot": {
      const { complete } = life;
      must(complete?.step === "offered", `node ${id} installs a snapshot that is not there`);
      if (complete === null) return;
      complete.step = "installing";
      complete.afterIo = command.afterIo;
      return;
    }
    case "dropSnapshot":
      must(life.complete?.step === "offered", `node ${id} drops a snapshot that is not there`);
      life.complete = null;
      return;
    case "readReady":
      endRead(life, command.requestId, command.readIndex);
      return;
    case "refuseReads":
      endRead(life, command.requestId, null);
      return;
    case "sendReadIndex": {
      const { requestId, policy } = command;
      const read = life.reads.get(requestId);
      must(read?.askedBy === null, `node ${id} passes a read on that is not its own`);
      (read as OpenRead).askedAt = life.now;
      ask(life, command.to, { type: "readIndex", requestId, policy });
      return;
    }
    case "reply":
      after(life, command.afterIo, () => settle(life, command.requestId, command.refusal));
      return;
    case "snapshotReady":
      settle(life, command.requestId, null);
      return;
    case "membershipChanged":
      settleChange(life, command.requestId, command.membership, command.logId);
      return;
    case "abandonChange":
      must(life.questions.delete(command.requestId), `node ${id} abandons a change that nobody asked for`);
      return;
    case "sendPreVote":
      ask(life, command.to, { type: "preVote", body: command.request });
      return;
    case "sendVote":
      after(life, command.afterIo, () => {
        mustHaveVoted(life, command.request.term, id);
        oracle.voted(id, disk, command.request.term, id);
        ask(life, command.to, { type: "vote", body: command.request });
      });
      return;
    case "sendAppendEntries":
      must(disk.vote.term >= command.term, `leader ${id} forgets term ${command.term} in a crash`);
      life.unanswered.set(command.seq, { to: command.to, term: command.term, sentAt: life.now });
      ask(life, command.to, {
        type: "appendEntries",
        seq: command.seq,
        body: {
          term: command.term,
          leaderId: id,
          prevLogId: command.prevLogId,
          entries: read(life, command.prevLogId.index + 1, command.upto),
          leaderCommit: command.leaderCommit,
        },
      });
      return;
    case "sendSnapshot":
      must(disk.vote.term >= command.term, `leader ${id} forgets term ${command.term} in a crash`);
      beginToSend(life, command);
      return;
    case "sendTimeoutNow":
      must(disk.vote.term >= command.request.term, `leader ${id} forgets its term in a crash`);
      life.unansweredTimeoutNow = { to: command.to, term: command.request.term, sentAt: life.now };
      ask(life, command.to, { type: "timeoutNow", body: command.request });
      return;
    case "receiveSnapshot":
      takePart(life, command);
      return;
    case "answerInstallSnapshot":
      answer(life, "installSnapshot", command.rpcId, command.afterIo, ({ seq, body }) => {
        const { response } = command;
        const { lastLogId } = body.copy.meta;
        mustKnowTerm(life, response.term);
        if (response.type === "installed") mustHaveInstalled(life, lastLogId);
        if (response.type === "progress") throw new Error("an engine does not count parts");
        return {
          type: "installSnapshotResponse",
          from: id,
          requestTerm: body.term,
          seq,
          lastLogId,
          response,
          incarnation: disk.incarnation,
        };
      });
      return;
    case "answerTimeoutNow":
      answer(life, "timeoutNow", command.rpcId, command.afterIo, ({ body }) => {
        const { term, accepted } = command.response;
        mustKnowTerm(life, term);
        return { type: "timeoutNowAnswered", from: id, requestTerm: body.term, term, accepted };
      });
      return;
    case "answerPreVote":
      answer(life, "preVote", command.rpcId, command.afterIo, ({ body }) => ({
        type: "preVoteResponse",
        from: id,
        requestTerm: body.term,
        response: command.response,
      }));
      return;
    case "answerVote":
      answer(life, "vote", command.rpcId, command.afterIo, ({ body }, { from }) => {
        mustKnowTerm(life, command.response.term);
        if (command.response.granted) {
          mustHaveVoted(life, body.term, from);
          oracle.voted(id, disk, body.term, from);
        }
        return { type: "voteResponse", from: id, requestTerm: body.term, response: command.response };
      });
      return;
    case "answerAppendEntries":
      answer(life, "appendEntries", command.rpcId, command.afterIo, ({ seq, body }) => {
        const { response } = command;
        mustKnowTerm(life, response.term);
        if (response.type === "success") mustHaveLogged(life, body);
        const { incarnation } = disk;
        return {
          type: "appendEntriesResponse",
          from: id,
          requestTerm: body.term,
          seq,
          response,
          incarnation,
        };
      });
      return;
    case "acceptWrites":
      must(life.engine.state.transfer === null, `node ${id} takes writes while it hands the leadership over`);
      must(
        life.writing.every((payload, i) => life.log.get(command.firstIndex + i)?.payload === payload),
        `node ${id} accepts writes at ${command.firstIndex}, where it did not put them`,
      );
      for (let i = 0; i < life.writing.length; i++) {
        must(!life.waiting.has(command.firstIndex + i), `two writes wait at ${command.firstIndex + i}`);
        life.waiting.add(command.firstIndex + i);
      }
      return;
    default:
      return command satisfies never;
  }
}

/** True for the entry that a snapshot which was just installed ends at: what stood there is not applied any more. */
function isInstalled({ complete }: Life, index: number): boolean {
  return complete?.step === "installed" && complete.copy.meta.lastLogId.index === index;
}

/** A read is ready at `readIndex`, or refused: tells the oracle, and whoever asked. */
function endRead(life: Life, requestId: number, readIndex: LogId | null): void {
  const { id, reads, world } = life;
  const read = reads.get(requestId);
  if (read === undefined) throw new Error(`node ${id} answers read ${requestId} twice`);
  reads.delete(requestId);
  if (readIndex !== null) world.oracle.readReady(readIndex, read.floor);
  if (readIndex !== null && read.askedAt !== null) world.oracle.count("followerReads");
  if (read.askedBy === null) return;
  const event = { type: "readIndexAnswered", requestId: read.askedBy.requestId, readIndex } as const;
  respond(life, read.askedBy.address, event);
}

function read(life: Life, since: number, upto: number): Entry[] {
  const { random, hosts } = life.world;
  const short = since < upto && random.chance(hosts.shortReads);
  return life.log.slice(since, short ? random.integer(since, upto - 1) : upto);
}

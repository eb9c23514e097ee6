import type { AppendEntriesRequest, LogId, NodeId } from "@seshat/common";
import type { Command } from "../../src/engine/command.js";
import type { Event } from "../../src/engine/event.js";
import type { Entry } from "./disk.js";
import type { Life, OpenRead } from "./life.js";
import type { Request } from "./network.js";
import { must } from "./oracle.js";

/** Starts to carry out one command of a step. */
export function execute(life: Life, command: Command): void {
  const { id, disk, world } = life;
  const { oracle, network } = world;
  switch (command.type) {
    case "refuseWrites":
    case "snapshotReady":
    case "reply":
      return;
    case "abandonWrites":
      if (life.engine.state.quorumLost) oracle.quorumLost();
      for (const index of life.waiting) if (index >= command.since) life.waiting.delete(index);
      return;
    case "append":
      oracle.appended(life.log.last, command.entries);
      life.log.append(command.entries);
      life.pending.push(command);
      return;
    case "truncate":
      must(command.since > life.dispatched, `node ${id} truncates ${command.since}, which is being applied`);
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
      life.building = true;
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
      network.send({
        type: "request",
        from: id,
        to: command.to,
        request: { type: "readIndex", requestId, policy },
      });
      return;
    }
    case "sendPreVote":
      network.send({
        type: "request",
        from: id,
        to: command.to,
        request: { type: "preVote", body: command.request },
      });
      return;
    case "sendVote":
      after(life, command.afterIo, () => {
        mustHaveVoted(life, command.request.term, id);
        oracle.voted(id, command.request.term, id);
        network.send({
          type: "request",
          from: id,
          to: command.to,
          request: { type: "vote", body: command.request },
        });
      });
      return;
    case "sendAppendEntries":
      must(disk.vote.term >= command.term, `leader ${id} forgets term ${command.term} in a crash`);
      life.unanswered.set(command.seq, { to: command.to, term: command.term, sentAt: life.now });
      network.send({
        type: "request",
        from: id,
        to: command.to,
        request: {
          type: "appendEntries",
          seq: command.seq,
          body: {
            term: command.term,
            leaderId: id,
            prevLogId: command.prevLogId,
            entries: read(life, command.prevLogId.index + 1, command.upto),
            leaderCommit: command.leaderCommit,
          },
        },
      });
      return;
    case "answerPreVote":
      answer(life, command.rpcId, command.afterIo, (_, request) => {
        if (request.type !== "preVote") throw new Error("an answer to another question");
        return {
          type: "preVoteResponse",
          from: id,
          requestTerm: request.body.term,
          response: command.response,
        };
      });
      return;
    case "answerVote":
      answer(life, command.rpcId, command.afterIo, (from, request) => {
        if (request.type !== "vote") throw new Error("an answer to another question");
        must(disk.vote.term >= command.response.term, `node ${id} answers in a term that is not durable`);
        if (command.response.granted) {
          mustHaveVoted(life, request.body.term, from);
          oracle.voted(id, request.body.term, from);
        }
        return {
          type: "voteResponse",
          from: id,
          requestTerm: request.body.term,
          response: command.response,
        };
      });
      return;
    case "answerAppendEntries":
      answer(life, command.rpcId, command.afterIo, (_, request) => {
        if (request.type !== "appendEntries") throw new Error("an answer to another question");
        must(disk.vote.term >= command.response.term, `node ${id} answers in a term that is not durable`);
        if (command.response.type === "success") mustHaveLogged(life, request.body);
        return {
          type: "appendEntriesResponse",
          from: id,
          requestTerm: request.body.term,
          seq: request.seq,
          response: command.response,
        };
      });
      return;
    case "acceptWrites":
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

/** A read is ready at `readIndex`, or refused: tells the oracle, and whoever asked. */
function endRead(life: Life, requestId: number, readIndex: LogId | null): void {
  const { id, reads, world } = life;
  const read = reads.get(requestId);
  if (read === undefined) throw new Error(`node ${id} answers read ${requestId} twice`);
  reads.delete(requestId);
  if (readIndex !== null) world.oracle.readReady(readIndex, read.floor);
  if (readIndex !== null && read.askedAt !== null) world.oracle.followerReadReady();
  if (read.askedBy === null) return;
  const { from } = read.askedBy;
  const event = { type: "readIndexAnswered", requestId: read.askedBy.requestId, readIndex } as const;
  world.network.send({ type: "response", from: id, to: from, event });
}

/** Holds `release` back until a write is durable. */
function after(life: Life, afterIo: number, release: () => void): void {
  if (afterIo <= life.persisted || life.world.sabotage === "answersEarly") release();
  else life.gate.push({ afterIo, release });
}

function answer(
  life: Life,
  rpcId: number,
  afterIo: number,
  makeEvent: (from: NodeId, request: Request) => Event,
): void {
  const rpc = life.requests.get(rpcId);
  if (rpc === undefined) throw new Error(`node ${life.id} answers request ${rpcId} twice`);
  life.requests.delete(rpcId);
  after(life, afterIo, () => {
    const event = makeEvent(rpc.from, rpc.request);
    life.world.network.send({ type: "response", from: life.id, to: rpc.from, event });
  });
}

function read(life: Life, since: number, upto: number): Entry[] {
  const { random, shortReads } = life.world;
  const short = since < upto && random.chance(shortReads);
  return life.log.slice(since, short ? random.integer(since, upto - 1) : upto);
}

/** A vote that is told is on the disk, or the disk is past it. */
function mustHaveVoted({ id, disk }: Life, term: number, candidate: NodeId): void {
  const { vote } = disk;
  must(
    vote.term > term || (vote.term === term && vote.votedFor === candidate),
    `the vote of node ${id} for ${candidate} in term ${term} is told before it is durable`,
  );
}

/** Entries that are acknowledged are on the disk, or the disk is past their leader. */
function mustHaveLogged({ id, disk }: Life, request: AppendEntriesRequest): void {
  const last = request.entries.at(-1)?.logId ?? request.prevLogId;
  must(
    disk.vote.term > request.term || last.index < disk.log.purged.index || disk.log.has(last),
    `node ${id} acknowledges entry ${last.index} before it is durable`,
  );
}

/** A process of its own: one node of the product on the journal machine, driven over the channel to its parent. */
import { UnknownOutcomeError } from "@seshat/common";
import { until } from "@seshat/raft";
import { startNode } from "seshat";
import type { CrashTypes } from "../machine/command.js";
import { CRASH_CODEC } from "../machine/command.js";
import { JournalMachine } from "../machine/journal-machine.js";
import type { Answer, CallFailure, CallName, Question, Reply } from "./call.js";
import { ForgetfulMachine } from "./plants.js";

const PATIENCE_MS = 60_000;

const [, , id = "", dir = "", address = "", life = "", plant = ""] = process.argv;

const machine = plant === "lost-apply" && Number(life) > 1 ? new ForgetfulMachine() : new JournalMachine();
const node = await startNode<CrashTypes>({
  id: Number(id),
  dir,
  address,
  stateMachine: machine,
  codec: CRASH_CODEC,
  // Small and quick, so that each round sees elections, snapshots, purges and new segments of the journal.
  store: { writeBufferBytes: 262_144 },
  raft: {
    heartbeatIntervalMs: 50,
    electionTimeoutMinMs: 200,
    electionTimeoutMaxMs: 400,
    backoffMaxMs: 100,
    snapshotPolicy: { type: "logsSinceLast", entries: 400 },
    maxInSnapshotLogToKeep: 100,
  },
});

async function answer({ name, ask }: Question): Promise<Answer<CallName>> {
  switch (name) {
    case "initialize":
      await node.raft.initialize(ask.members.map(([member, addr]) => [member, { addr }] as const));
      return null;
    case "write": {
      const write = node.raft.clientWrite(ask.command);
      if (plant === "early-ack" && ask.command.type === "write" && ask.command.input.f === "set") {
        // Those that are refused at once are refused all the same.
        const refused = await Promise.race([write.then(() => null), later(3)]);
        write.catch(() => {});
        if (refused === "later") return { index: 0, reply: "OK" };
      }
      const { logId, response } = await write;
      return { index: logId.index, reply: response };
    }
    case "read":
      if (plant !== "stale-read") await node.raft.ensureLinearizable();
      return { reply: machine.read(ask.key) };
    case "journal":
      await node.raft.wait(until.applied(ask.index), PATIENCE_MS);
      return { lines: machine.journal(ask.round), sums: machine.sums() };
    case "leader":
      return node.raft.leaderId();
    case "close":
      await node.close();
      return null;
  }
}

async function later(ms: number): Promise<"later"> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
  return "later";
}

function failureOf(error: unknown): CallFailure {
  return { message: String(error), unknown: error instanceof UnknownOutcomeError };
}

function send(reply: Reply): void {
  // A parent that is gone wants no answer.
  if (process.connected) process.send?.(reply);
}

process.on("message", (question: Question) => {
  const { number, name } = question;
  answer(question).then(
    (result) => {
      send({ type: "answer", number, answer: result });
      if (name === "close") process.disconnect();
    },
    (error: unknown) => send({ type: "failure", number, failure: failureOf(error) }),
  );
});
process.on("disconnect", () => process.exit());
send({ type: "started", address: node.address });

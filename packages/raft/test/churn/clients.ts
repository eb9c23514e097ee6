import type { BytesTypeConfig, NodeId, SessionCommand } from "@seshat/common";
import { SessionError } from "@seshat/common";
import { encodeOperation } from "@seshat/storage";
import type { Raft } from "../../src/raft.js";
import type { SeededRandom } from "../../src/testing.js";
import { text, utf8 } from "../support/values.js";
import { must } from "./churn-failure.js";
import { deletedKeys, valueOf } from "./command.js";
import type { Fleet, Running } from "./fleet.js";
import { codeOf } from "./fleet.js";

/** Errors that say for certain that a write was not appended. All others leave that open. */
const NOT_APPENDED: ReadonlySet<string> = new Set([
  "notLeader",
  "quorumNotEnough",
  "transferInProgress",
  "storageStalled",
  "overloaded",
  "preconditionFailed",
  "timeout",
  "shutdown",
]);

const SHARED_KEYS = 12;
const OWN_KEYS = 6;
const COMMANDS_OF_A_SESSION = 150;

/** What clients have in common. */
export interface ClientParts {
  readonly fleet: Fleet;
  readonly random: SeededRandom;
  readonly name: string;
  readonly leases: boolean;
  /** Resolves while clients may work; awaited before each operation. */
  readonly mayWork: () => Promise<void>;
  readonly meanPauseMs: number;
}

/** The parts that all clients share: whom to ask, and what to write. */
class Client {
  readonly fleet: Fleet;
  readonly random: SeededRandom;
  readonly name: string;
  readonly parts: ClientParts;
  #believed: NodeId | null = null;
  #commands = 0;

  constructor(parts: ClientParts) {
    this.parts = parts;
    this.fleet = parts.fleet;
    this.random = parts.random;
    this.name = parts.name;
  }

  /** The node that the last answer named, mostly; otherwise any. */
  pick(): Running | undefined {
    const believed = this.#believed === null ? undefined : this.fleet.running.get(this.#believed);
    if (believed !== undefined && this.random.chance(0.9)) return believed;
    const nodes = [...this.fleet.running.values()].filter(
      ({ raft }) => raft.leaderId() !== null || this.random.chance(0.2),
    );
    const node = nodes[this.random.integer(0, Math.max(0, nodes.length - 1))];
    this.#believed = node?.raft.leaderId() ?? node?.raft.id ?? null;
    return node;
  }

  /** It did not lead, or says nothing: ask somebody else. */
  forget(): void {
    this.#believed = null;
  }

  nextId(): string {
    this.#commands += 1;
    return `${this.name}-${this.#commands}`;
  }

  key(): string {
    return this.random.chance(0.5)
      ? `shared-${this.random.integer(1, SHARED_KEYS)}`
      : `${this.name}-${this.random.integer(1, OWN_KEYS)}`;
  }

  command(id: string): Uint8Array {
    const key = this.key();
    if (this.random.chance(0.85))
      return encodeOperation({ type: "set", key: utf8(key), value: utf8(valueOf(id)) });
    return encodeOperation({ type: "del", keys: deletedKeys(key, id).map(utf8) });
  }

  async ready(): Promise<void> {
    await this.fleet.pause(this.parts.meanPauseMs, this.random);
    await this.parts.mayWork();
  }

  /** Sends until somebody gives a certain answer. */
  async insist<T>(what: string, send: (raft: Raft<BytesTypeConfig>) => Promise<T>): Promise<[T, boolean]> {
    let unknown = false;
    for (;;) {
      const node = this.pick();
      if (node !== undefined) {
        try {
          return [await this.fleet.call(what, node.raft.id, send(node.raft)), unknown];
        } catch (error) {
          const code = codeOf(error);
          this.fleet.coverage.add(`${what}: ${code}`);
          must(!(error instanceof SessionError), () => `${this.name}: ${(error as Error).message}`);
          unknown ||= !NOT_APPENDED.has(code);
          if (code !== "overloaded") this.forget();
        }
      }
      await this.fleet.pause(40, this.random);
    }
  }
}

/** Writes in sessions, a few commands at once, each sent again until its answer is known. */
export async function sessionWriter(parts: ClientParts): Promise<never> {
  const client = new Client(parts);
  for (;;) {
    await client.ready();
    await writeOneSession(client);
  }
}

async function writeOneSession(client: Client): Promise<void> {
  const { fleet, random } = client;
  const timeoutMs = random.integer(200, 2000);
  const [sessionId] = await client.insist("session", (raft) => raft.openSession({ timeoutMs }));
  fleet.coverage.add("session: opened");
  const unanswered = new Set<number>();
  let next = 1;
  const atOnce = random.integer(1, 3);
  const lane = async (): Promise<void> => {
    while (next <= COMMANDS_OF_A_SESSION) {
      await client.ready();
      const sequence = next++;
      unanswered.add(sequence);
      const id = client.nextId();
      const data = client.command(id);
      const { floor } = fleet.witness;
      const [{ logId, response }, wasUnknown] = await client.insist("session write", (raft) => {
        const session: SessionCommand = { sessionId, sequence, answeredBelow: Math.min(...unanswered) };
        return raft.clientWrite({ data }, { session, timeoutMs });
      });
      unanswered.delete(sequence);
      fleet.witness.acknowledged(id, logId.index, response, floor, false);
      fleet.coverage.add("session write: done");
      if (wasUnknown) fleet.coverage.add("session write: done after unknown outcome");
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** Writes once: what is not answered counts as perhaps. */
export async function plainWriter(parts: ClientParts): Promise<never> {
  const client = new Client(parts);
  for (;;) {
    await client.ready();
    const node = client.pick();
    if (node === undefined) continue;
    await writeOnce(client, node.raft);
  }
}

async function writeOnce(client: Client, raft: Raft<BytesTypeConfig>): Promise<void> {
  const { fleet, random } = client;
  const { witness, coverage } = fleet;
  const kind = random.next();
  const many = kind < 0.15;
  const aborted = kind > 0.9;
  const ids = Array.from({ length: many ? random.integer(2, 4) : 1 }, () => client.nextId());
  const commands = ids.map((id) => ({ data: client.command(id) }));
  const { floor } = witness;
  const what = many ? "write many" : aborted ? "write aborted" : "write";
  const abort = new AbortController();
  const leaderTerm = random.chance(0.1) ? Math.max(1, raft.metrics().term) : undefined;
  const options = {
    ...(aborted ? { signal: abort.signal } : {}),
    ...(random.chance(0.5) ? { timeoutMs: random.integer(20, 1500) } : {}),
    ...(leaderTerm === undefined ? {} : { leaderTerm }),
  };
  try {
    const written = many
      ? raft.clientWriteMany(commands, options)
      : raft.clientWrite(commands[0] as { data: Uint8Array }, options).then((answer) => [answer]);
    if (aborted) {
      fleet.background(fleet.pause(5, random).then(() => abort.abort(new GivenUp())));
    }
    const answers = await fleet.call(what, raft.id, written);
    for (const [i, { logId, response }] of answers.entries()) {
      witness.acknowledged(ids[i] as string, logId.index, response, floor, true);
    }
    coverage.add(`${what}: done`);
  } catch (error) {
    const code = error instanceof GivenUp ? "timeout" : codeOf(error);
    coverage.add(`${what}: ${code}`);
    if (NOT_APPENDED.has(code)) for (const id of ids) witness.refused(id, code);
    else must(code === "unknownOutcome" || code === "stopped", () => `a write ended with ${code}`);
    if (code !== "overloaded") client.forget();
  }
}

class GivenUp extends Error {}

/** Reads anywhere: on the leader, on followers and on learners. */
export async function reader(parts: ClientParts): Promise<never> {
  const client = new Client(parts);
  const { fleet, random } = client;
  for (;;) {
    await client.ready();
    if (random.chance(0.6)) client.forget();
    const node = client.pick();
    if (node === undefined) continue;
    const { raft } = node;
    const { floor } = fleet.witness;
    const policy = parts.leases && random.chance(0.5) ? "lease" : "readIndex";
    const what = policy === "lease" ? "read by lease" : "read";
    try {
      const patience = random.chance(0.5) ? { timeoutMs: random.integer(50, 1000) } : {};
      const confirmed = await fleet.call(what, raft.id, raft.ensureLinearizable({ policy, ...patience }));
      if (node.life.dead) continue;
      const key = client.key();
      const applied = node.appliedIndex();
      must(
        applied >= confirmed.index,
        () => `a read was confirmed at ${confirmed.index}, but only ${applied} is applied`,
      );
      fleet.witness.read(raft.id, key, readValue(node, key), applied, floor);
      fleet.coverage.add(`${what} on a ${roleOf(raft)}: done`);
    } catch (error) {
      fleet.coverage.add(`${what}: ${codeOf(error)}`);
    }
  }
}

function readValue(node: Running, key: string): string | null {
  return text(node.kv.get(utf8(key)));
}

function roleOf(raft: Raft<BytesTypeConfig>): string {
  const { state, membership, id } = raft.metrics();
  if (state === "leader") return "leader";
  return membership.membership.configs.some((ids) => ids.includes(id)) ? "follower" : "learner";
}

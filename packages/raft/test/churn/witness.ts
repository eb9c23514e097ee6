import type { BytesTypeConfig, LogEntry, NodeId, Request, Response } from "@seshat/common";
import { isJoint } from "@seshat/common";
import { KeyValueStateMachine } from "@seshat/storage";
import { text } from "../support/values.js";
import { must } from "./churn-failure.js";
import { readCommand } from "./command.js";
import type { Coverage } from "./coverage.js";

type Entry = LogEntry<Request, BytesTypeConfig["Node"]>;

/** What is known of one command. */
interface CommandFate {
  /** The one entry that carried it out. */
  index: number;
  response: string;
  refused: boolean;
}

interface Version {
  readonly index: number;
  readonly value: string | null;
}

/**
 * Sees every entry that any node applies, and every answer that any client gets, and knows from that what must be true: the nodes apply
 * one history, each command takes effect once, nothing that was refused does, and reads and writes keep the order in which clients saw
 * them. Reads and writes get their place in that order by their log index, so linearizability is: what begins after something
 * ended stands behind it.
 */
export class Witness {
  readonly #coverage: Coverage;
  /** What stands at each index, on every node that applied it. */
  readonly #history: string[] = ["nothing"];
  readonly #commands = new Map<string, CommandFate>();
  readonly #versions = new Map<string, Version[]>();
  readonly #leaders = new Map<number, NodeId>();
  /** No operation that begins now may take its place before this index. */
  #floor = 0;
  /** The term of the joint membership that was applied last, or null when it was left. */
  #jointOf: number | null = null;

  constructor(coverage: Coverage) {
    this.#coverage = coverage;
  }

  /** An index that everything acknowledged so far is not behind. To be taken before an operation begins. */
  get floor(): number {
    return this.#floor;
  }

  /** How many entries were committed. */
  get committed(): number {
    return this.#history.length - 1;
  }

  /** How many different commands took effect. */
  get effective(): number {
    let count = 0;
    for (const { index } of this.#commands.values()) if (index > 0) count += 1;
    return count;
  }

  leads(id: NodeId, term: number): void {
    const known = this.#leaders.get(term) ?? id;
    must(known === id, () => `two leaders in term ${term}: nodes ${known} and ${id}`);
    if (!this.#leaders.has(term)) this.#coverage.add("leader elected");
    this.#leaders.set(term, id);
  }

  /** A node is about to apply these. */
  appliesEntries(id: NodeId, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const { index, term } = entry.logId;
      const known = this.#history[index];
      const found = `${term} ${describe(entry)}`;
      if (known === undefined) {
        must(
          index === this.#history.length,
          () => `node ${id} applies entry ${index}, but nobody has applied ${this.#history.length}`,
        );
        this.#history.push(found);
        this.#seesMembership(entry);
      } else {
        must(known === found, () => `node ${id} applies at ${index}: ${found}; another node: ${known}`);
      }
    }
  }

  /** A state machine carried a command out, for the first time or in a later life. */
  carriedOut(index: number, request: Request, response: Response): void {
    const command = readCommand(request.data);
    must(response.error === null, () => `command ${command.id} at ${index}: ${response.error?.code}`);
    const answer = text(response.result) ?? "";
    const fate = this.#commands.get(command.id);
    if (fate !== undefined && fate.index !== 0) {
      must(fate.index === index, () => `command ${command.id} took effect at ${fate.index} and at ${index}`);
      must(fate.response === answer, () => `command ${command.id} answered ${fate.response}, then ${answer}`);
      return;
    }
    must(fate?.refused !== true, () => `command ${command.id} was refused, and took effect at ${index}`);
    this.#commands.set(command.id, { index, response: answer, refused: false });
    const versions = this.#versions.get(command.key);
    const last = versions?.at(-1);
    must(
      (last?.index ?? 0) < index,
      () => `key ${command.key} was changed at ${last?.index}, then at ${index}`,
    );
    if (versions === undefined) this.#versions.set(command.key, [{ index, value: command.value }]);
    else versions.push({ index, value: command.value });
  }

  /**
   * A write was acknowledged.
   *
   * @param index where its answer says that it stands.
   * @param floor as it was when the client first sent it.
   * @param once true when it was sent once: then it took effect at `index`, not at an earlier entry of its session.
   */
  acknowledged(id: string, index: number, response: Response, floor: number, once: boolean): void {
    const fate = this.#commands.get(id);
    must(
      fate !== undefined && fate.index > 0,
      () => `command ${id} was acknowledged at ${index}, and took no effect`,
    );
    must(
      fate.index <= index,
      () => `command ${id} was acknowledged at ${index}, before its effect at ${fate.index}`,
    );
    must(
      !once || fate.index === index,
      () => `command ${id} answered index ${index}, but stands at ${fate.index}`,
    );
    must(
      fate.index > floor,
      () => `command ${id} at ${fate.index} stands before ${floor}, which was seen before it began`,
    );
    const answer = text(response.result) ?? "";
    must(
      answer === fate.response,
      () => `command ${id} answered ${answer}, but the state machine ${fate.response}`,
    );
    if (fate.index !== index) this.#coverage.add("session write: answered from the session");
    this.#floor = Math.max(this.#floor, fate.index);
  }

  /** A write was certainly not carried out, and never will be. */
  refused(id: string, code: string): void {
    const fate = this.#commands.get(id);
    must(fate === undefined, () => `command ${id} was refused (${code}), but took effect at ${fate?.index}`);
    this.#commands.set(id, { index: 0, response: "", refused: true });
  }

  /** A read ended on a node whose state machine had applied everything up to `at`. */
  read(id: NodeId, key: string, value: string | null, at: number, floor: number): void {
    must(
      at >= floor,
      () => `a read on node ${id} saw the state at ${at}, but ${floor} was seen before it began`,
    );
    const expected = this.#valueAt(key, at);
    must(
      value === expected,
      () => `node ${id} at ${at} holds ${value} at key ${key}, but ${expected} was written last`,
    );
    this.#floor = Math.max(this.#floor, at);
  }

  /** What a state machine that has applied everything up to `index` must hold. */
  contentAt(index: number): Map<string, string> {
    const content = new Map<string, string>();
    for (const key of this.#versions.keys()) {
      const value = this.#valueAt(key, index);
      if (value !== null) content.set(key, value);
    }
    return content;
  }

  #valueAt(key: string, index: number): string | null {
    const versions = this.#versions.get(key) ?? [];
    let low = 0;
    let high = versions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((versions[middle] as Version).index <= index) low = middle + 1;
      else high = middle;
    }
    return versions[low - 1]?.value ?? null;
  }

  #seesMembership({ logId, payload }: Entry): void {
    if (payload.type !== "membership") return;
    const { configs } = payload.membership;
    const voters = configs.at(-1)?.length ?? 0;
    must(
      configs.every((ids) => ids.length <= 7),
      () => `more than seven voters: ${JSON.stringify(configs)}`,
    );
    if (isJoint(payload.membership)) {
      must(this.#jointOf === null, () => `the joint membership at ${logId.index} follows on a joint one`);
      this.#jointOf = logId.term;
      return;
    }
    if (voters === 1) this.#coverage.add("one voter");
    if (voters === 7) this.#coverage.add("seven voters");
    if (this.#jointOf === null) return;
    const own = this.#jointOf === logId.term;
    this.#coverage.add(own ? "joint left by its own leader" : "joint left by a new leader");
    this.#jointOf = null;
  }
}

function describe({ payload }: Entry): string {
  switch (payload.type) {
    case "normal":
      return `${readCommand(payload.data.data).id} ${payload.session?.sessionId ?? ""}`;
    case "membership":
      return JSON.stringify([payload.membership.configs, [...payload.membership.nodes]]);
    default:
      return payload.type;
  }
}

/** A key-value state machine that is seen at work. */
export class WitnessedKv extends KeyValueStateMachine {
  readonly #witness: Witness;

  constructor(witness: Witness) {
    super();
    this.#witness = witness;
  }

  override apply(index: number, request: Request): Response {
    const response = super.apply(index, request);
    this.#witness.carriedOut(index, request, response);
    return response;
  }
}

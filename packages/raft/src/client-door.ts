import type { AsyncRuntime, EntryPayload, LogId, RaftTypeConfig } from "@seshat/common";
import { checkInteger } from "@seshat/common";
import type { ClientWriteResponse } from "./runtime/clients.js";
import { guardedWrites } from "./runtime/guarded-write.js";
import { withPatience } from "./runtime/patience.js";
import type { Runtime } from "./runtime/runtime.js";
import type { OpenSessionOptions, ReadOptions, SessionWriteOptions, WriteOptions } from "./write-options.js";
import {
  DEFAULT_SESSION_EXPIRY,
  checkArray,
  checkNoSession,
  checkPatience,
  checkReadPolicy,
  checkWriteOptions,
  expectationOf,
} from "./write-options.js";

type Payload<C extends RaftTypeConfig> = EntryPayload<C["D"], C["Node"]>;

/** Waits for a write that nobody waits for. */
const NOBODY = { resolve(): void {}, reject(): void {} };

/** Where the writes and reads of the application come in. Documented on `Raft`. */
export class ClientDoor<C extends RaftTypeConfig> {
  readonly #runtime: Runtime<C>;
  readonly #clock: AsyncRuntime;
  readonly #sizeOf: (data: C["D"]) => number;
  readonly #leases: boolean;

  constructor(runtime: Runtime<C>, clock: AsyncRuntime, sizeOf: (data: C["D"]) => number, leases: boolean) {
    this.#runtime = runtime;
    this.#clock = clock;
    this.#sizeOf = sizeOf;
    this.#leases = leases;
  }

  write(data: C["D"]): Promise<ClientWriteResponse<C["R"]>> {
    return new Promise((resolve, reject) => {
      this.#runtime.write({ type: "normal", data }, { bytes: this.#sizeOf(data), resolve, reject }, null);
    });
  }

  async writeWith(data: C["D"], options: SessionWriteOptions): Promise<ClientWriteResponse<C["R"]>> {
    checkWriteOptions(options);
    const { session } = options;
    const payload: Payload<C> =
      session === undefined ? { type: "normal", data } : { type: "normal", data, session };
    return this.#guardedWrite(payload, options);
  }

  async writeMany(data: readonly C["D"][], options: WriteOptions): Promise<ClientWriteResponse<C["R"]>[]> {
    checkWriteOptions(options);
    checkNoSession(options);
    checkArray("data", data);
    if (data.length === 0) return [];
    return this.#guardedWrites(
      data.map((item) => ({ type: "normal", data: item })),
      options,
    );
  }

  submit(data: C["D"]): void {
    this.#runtime.write({ type: "normal", data }, { bytes: this.#sizeOf(data), ...NOBODY }, null);
  }

  async openSession(options: OpenSessionOptions): Promise<number> {
    checkWriteOptions(options);
    checkNoSession(options);
    const expiresAfter = checkInteger(
      "options.expiresAfter",
      options.expiresAfter ?? DEFAULT_SESSION_EXPIRY,
      1,
    );
    return (await this.#guardedWrite({ type: "openSession", expiresAfter }, options)).logId.index;
  }

  async read(options: ReadOptions): Promise<LogId> {
    checkPatience(options);
    const policy = options.policy ?? "readIndex";
    checkReadPolicy(policy, this.#leases);
    return withPatience("the read", options, this.#clock, () => this.#runtime.read(policy, false));
  }

  async #guardedWrite(payload: Payload<C>, options: WriteOptions): Promise<ClientWriteResponse<C["R"]>> {
    const [response] = await this.#guardedWrites([payload], options);
    return response as ClientWriteResponse<C["R"]>;
  }

  #guardedWrites(
    payloads: readonly Payload<C>[],
    options: WriteOptions,
  ): Promise<ClientWriteResponse<C["R"]>[]> {
    const sizes = payloads.map((payload) => (payload.type === "normal" ? this.#sizeOf(payload.data) : 0));
    return guardedWrites<C["R"]>(sizes, options, this.#clock, {
      start: (writers) => this.#runtime.writeMany(payloads, writers, expectationOf(options)),
      withdraw: (writers) => this.#runtime.withdraw(writers),
    });
  }
}

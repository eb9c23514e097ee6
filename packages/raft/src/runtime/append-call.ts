import type { AppendEntriesResponse, RaftTypeConfig, RpcResponse } from "@seshat/common";
import { checkAppendEntriesResponse } from "../check-message.js";
import type { SendAppendEntriesCommand } from "../engine/command.js";
import type { Event } from "../engine/event.js";
import type { Passport } from "./identity.js";
import { OpenCall } from "./open-calls.js";
import type { Peer } from "./peer.js";
import type { PortionedAnswer } from "./portioned-answer.js";
import type { TermBound } from "./term-bound.js";

/** What is common to all messages of a node that carry entries. */
export interface AppendCallParts {
  readonly passport: Passport;
  readonly terms: TermBound;
  emit(event: Event): void;
}

/** One AppendEntries request on its way to a peer, and what becomes of it. One object for each message: they are the most frequent. */
export class AppendCall<C extends RaftTypeConfig> extends OpenCall<RpcResponse<AppendEntriesResponse>> {
  readonly #parts: AppendCallParts;
  readonly #peer: Peer<C>;
  readonly #command: SendAppendEntriesCommand;
  readonly #bytes: number;
  /** Where the command takes several messages: what they come to together, and which one this is. Otherwise null. */
  readonly #whole: PortionedAnswer | null;
  readonly #position: number;

  /** @param bytes of entries, which are in the peer's window until an answer is there; 0 for a heartbeat, which is not. */
  constructor(
    parts: AppendCallParts,
    peer: Peer<C>,
    command: SendAppendEntriesCommand,
    timeoutMs: number,
    bytes: number,
    whole: PortionedAnswer | null,
    position: number,
  ) {
    super("appendEntries", timeoutMs);
    this.#parts = parts;
    this.#peer = peer;
    this.#command = command;
    this.#bytes = bytes;
    this.#whole = whole;
    this.#position = position;
  }

  protected check(response: RpcResponse<AppendEntriesResponse>): void {
    checkAppendEntriesResponse(response);
    this.#parts.passport.checkResponse(response.header, this.#peer.id);
    this.#parts.terms.check("answer.term", response.term, this.#peer.id);
  }

  protected answered(response: RpcResponse<AppendEntriesResponse>): void {
    const { incarnation } = response.header;
    if (this.#whole === null) this.#parts.emit(appendAnswer(this.#command, response, incarnation));
    else this.#whole.answered(this.#position, response, incarnation);
    this.#leave();
  }

  failed(): void {
    if (this.#whole === null) this.#parts.emit(appendFailure(this.#command));
    else this.#whole.lost();
    this.#leave();
  }

  #leave(): void {
    if (this.#bytes > 0) this.#peer.window.leave(this.#bytes);
  }
}

/** The answer to a command, for the engine. */
export function appendAnswer(
  { to, term, seq }: SendAppendEntriesCommand,
  response: AppendEntriesResponse,
  incarnation: number,
): Event {
  return { type: "appendEntriesResponse", from: to, requestTerm: term, seq, response, incarnation };
}

/** That a command got none. */
export function appendFailure({ to, term, seq }: SendAppendEntriesCommand): Event {
  return { type: "appendEntriesFailed", from: to, requestTerm: term, seq };
}

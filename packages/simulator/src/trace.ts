import type { EngineStep } from "@seshat/raft";
import { hashText, mixNumber } from "./oracle/hash.js";

/** Lines that are kept of a trace: the newest. */
const MAX_LINES = 20_000;

/**
 * What happened in a run, step by step: always as a hash, by which two runs are compared, and on demand as text. Times are virtual
 * milliseconds.
 */
export class Trace {
  readonly #keepsText: boolean;
  readonly #tell: ((line: string) => void) | null;
  readonly #lines: string[] = [];
  #hash = 0x811c9dc5;
  #dropped = 0;

  /** @param text true to keep the newest lines; or who is told each line, and then none is kept. */
  constructor(text: boolean | ((line: string) => void)) {
    this.#keepsText = text !== false;
    this.#tell = typeof text === "function" ? text : null;
  }

  /** Equal for two runs exactly when they took the same steps at the same times. */
  get hash(): string {
    return this.#hash.toString(16).padStart(8, "0");
  }

  /** The newest lines, oldest first. */
  get lines(): readonly string[] {
    return this.#dropped === 0 ? this.#lines : [`... ${this.#dropped} lines before`, ...this.#lines];
  }

  step(now: number, { event, commands, state }: EngineStep): void {
    let hash = hashText(event.type, mixNumber(this.#hash, now * 1000));
    hash = mixNumber(mixNumber(hash, state.id), state.vote.term);
    hash = mixNumber(mixNumber(hash, state.log.last.index), state.committed.index);
    this.#hash = mixNumber(hash, commands.length);
    if (!this.#keepsText) return;
    const asks = commands.map((command) => describe(command)).join(", ");
    this.#add(
      `${now.toFixed(3)} node ${state.id} ${state.role.type} t${state.vote.term} ${describe(event)}${asks === "" ? "" : ` -> ${asks}`}`,
    );
  }

  note(now: number, text: string): void {
    this.#hash = hashText(text, mixNumber(this.#hash, now * 1000));
    if (this.#keepsText) this.#add(`${now.toFixed(3)} ${text}`);
  }

  #add(line: string): void {
    if (this.#tell !== null) return this.#tell(line);
    if (this.#lines.length >= MAX_LINES) {
      this.#lines.splice(0, MAX_LINES / 10);
      this.#dropped += MAX_LINES / 10;
    }
    this.#lines.push(line);
  }
}

const MAX_SHOWN = 160;

/** The type, and the rest as short JSON. */
function describe(item: { readonly type: string }): string {
  const { type, ...rest } = item;
  const text = JSON.stringify(rest, (key, value: unknown) => {
    if (key === "header") return undefined;
    if (value instanceof Map) return [...(value as ReadonlyMap<unknown, unknown>).keys()];
    if (value instanceof Uint8Array) return `${value.length} bytes`;
    return value;
  });
  if (text === "{}") return type;
  return `${type} ${text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text}`;
}

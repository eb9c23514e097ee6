import { PassThrough, Writable } from "node:stream";
import { text } from "./bytes.js";

/** Keeps everything written to it; takes it only when the test lets it, once `hold` was called. */
export class CapturedOutput extends Writable {
  readonly #chunks: Buffer[] = [];
  #release: (() => void) | null = null;
  #held = false;
  isTTY: boolean;
  columns = 80;

  constructor(options: { isTTY?: boolean; highWaterMark?: number } = {}) {
    super({ highWaterMark: options.highWaterMark ?? 16_384 });
    this.isTTY = options.isTTY ?? false;
  }

  /** Everything written, one character a byte. */
  get text(): string {
    return text(Buffer.concat(this.#chunks));
  }

  /** How many writes reached the stream. */
  get writes(): number {
    return this.#chunks.length;
  }

  /** From now on a write is not done until `release` is called. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#release?.();
    this.#release = null;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error) => void): void {
    this.#chunks.push(chunk);
    if (this.#held) this.#release = callback;
    else callback();
  }
}

/** An input that the test writes to, as a terminal or not. */
export class TestInput extends PassThrough {
  readonly isTTY: boolean;

  constructor(isTTY = false) {
    super();
    this.isTTY = isTTY;
  }
}

/** An error as the operating system gives it. */
export function ioError(code: string): Error {
  return Object.assign(new Error(`write ${code}`), { code });
}

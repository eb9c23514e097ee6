import { connect } from "node:net";
import type { NetConnectOpts, Socket } from "node:net";
import { encodeCommand, formatDouble, RespReplyParser } from "@seshat/resp";
import type { RespValue } from "@seshat/resp";

/** In place of a reply: the server has closed the connection, or does not answer. */
export const CLOSED = "closed";
export const SILENT = "silent";
export type Outcome = RespValue | typeof CLOSED | typeof SILENT;

/** Far more than any answer takes: who passes it hangs. */
const SILENCE_MS = 20_000;

/** Characters are bytes. */
export const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");

/** One client: sends commands together, and takes as many replies. */
export class Connection {
  readonly #socket: Socket;
  readonly #parser = new RespReplyParser();
  readonly #replies: RespValue[] = [];
  /** What came since the last commands were sent. */
  #raw: Buffer[] = [];
  #closed = false;
  #wake: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const end = (): void => {
      this.#closed = true;
      this.#wake?.();
    };
    socket.on("data", (chunk: Buffer) => {
      this.#raw.push(chunk);
      try {
        this.#parser.push(chunk);
        for (let reply = this.#parser.next(); reply !== undefined; reply = this.#parser.next())
          this.#replies.push(reply);
      } catch {
        socket.destroy();
      }
      this.#wake?.();
    });
    socket.on("close", end);
    socket.on("end", end);
    socket.on("error", end);
  }

  static open(options: NetConnectOpts): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(options);
      socket.setNoDelay(true);
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new Connection(socket));
      });
    });
  }

  async send(commands: readonly (readonly string[])[]): Promise<Outcome[]> {
    this.#raw = [];
    if (!this.#closed)
      this.#socket.write(Buffer.concat(commands.map((args) => encodeCommand(args.map(latin1)))));
    const deadline = Date.now() + SILENCE_MS;
    while (this.#replies.length < commands.length && !this.#closed && Date.now() < deadline)
      await this.#more(deadline);
    checkDoubles(Buffer.concat(this.#raw));
    const outcomes: Outcome[] = this.#replies.splice(0, commands.length);
    while (outcomes.length < commands.length) outcomes.push(this.#closed ? CLOSED : SILENT);
    return outcomes;
  }

  close(): void {
    this.#socket.destroy();
  }

  #more(deadline: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, deadline - Date.now());
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
    });
  }
}

const CRLF = "\r\n";

/**
 * A number that is read is compared with another, not its digits: so they have to be those that `RespWriter` writes, whoever wrote them.
 *
 * @throws {RangeError} when they are others.
 */
function checkDoubles(replies: Buffer): void {
  for (let at = 0; at < replies.length;) {
    const end = replies.indexOf(CRLF, at);
    if (end < 0) return;
    const [mark, line] = [replies.toString("latin1", at, at + 1), replies.toString("latin1", at + 1, end)];
    const isBulk = mark === "$" || mark === "=" || mark === "!";
    if (mark === "," && formatDouble(Number(line.replace("inf", "Infinity"))) !== line)
      throw new RangeError(`a double is written as ${line}`);
    at = end + CRLF.length + (isBulk && Number(line) >= 0 ? Number(line) + CRLF.length : 0);
  }
}

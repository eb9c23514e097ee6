import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { completeLine } from "./help.js";
import type { Pipeline } from "./pipeline.js";
import { understandLine } from "./run-batch.js";

/** Lines kept to go back to. They live as long as the session: values may be secrets, and are never written to disk. */
const HISTORY_LINES = 1000;

/** What a session on a terminal is given. */
export interface InteractiveOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly prompt: string;
  /** Ends the session, as Ctrl-D does. */
  readonly signal: AbortSignal;
  /** Called after each command: everything given out must be on the terminal before the next prompt is. */
  readonly flush: () => void;
}

/**
 * Talks with a user: one command at a time, with a line editor, history and completion. Ctrl-C drops a line
 * that was begun; on an empty line it ends the session, as do Ctrl-D, QUIT and EXIT.
 *
 * @returns true when Ctrl-C ended the session.
 */
export async function runInteractive(pipeline: Pipeline, options: InteractiveOptions): Promise<boolean> {
  const encoder = new TextEncoder();
  let interrupted = false;
  const editor = createInterface({
    input: options.input,
    output: options.output,
    terminal: true,
    prompt: options.prompt,
    completer: (begun: string) => completeLine(begun),
    historySize: HISTORY_LINES,
    removeHistoryDuplicates: true,
  });
  const close = (): void => editor.close();
  options.signal.addEventListener("abort", close, { once: true });
  editor.on("SIGINT", () => {
    if (editor.line === "") {
      interrupted = true;
      editor.close();
      return;
    }
    // To the end of the line, then erase all before it: the editor's own keys for emptying a line.
    editor.write(null, { ctrl: true, name: "e" });
    editor.write(null, { ctrl: true, name: "u" });
  });
  // It may be closed while a command is under way.
  let closed = false;
  editor.once("close", () => {
    closed = true;
  });
  let line = 0;
  try {
    if (options.signal.aborted) return false;
    editor.prompt();
    for await (const text of editor) {
      line += 1;
      const understood = understandLine({ number: line, bytes: encoder.encode(text) });
      if (understood !== null) {
        const place = { source: "terminal", line };
        await (understood instanceof Error
          ? pipeline.reject(understood, place)
          : pipeline.submit(understood, place, text.length));
        await pipeline.drain();
        options.flush();
        if (pipeline.failure !== null) return false;
        if (!(understood instanceof Error) && understood.type === "quit") return false;
      }
      if (interrupted) break;
      if (!closed) editor.prompt();
    }
    // The cursor still stands behind a prompt.
    options.output.write("\n");
    return interrupted;
  } finally {
    options.signal.removeEventListener("abort", close);
    editor.close();
    options.input.destroy();
  }
}

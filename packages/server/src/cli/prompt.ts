import { createInterface } from "node:readline";
import { encodeCommand } from "@seshat/resp";
import type { CliIo } from "./io.js";
import type { Target } from "./resp-connection.js";
import { RespConnection } from "./resp-connection.js";
import { showReply } from "./show-reply.js";
import { splitLine } from "./split-line.js";
import { showStatus } from "./status.js";

/** Lines kept to go back to. They live as long as the session: values may be secrets. */
const HISTORY_LINES = 1000;

const HELP = `Any command of Redis that this server has, e.g. SET key value, GET key, KEYS *, INFO; and
  status   the nodes of the cluster        help   this text        quit   end the server
`;

/** Talks with a user on a terminal until they quit, or the program is told to end. */
export async function runPrompt(target: Target, io: CliIo): Promise<void> {
  using connection = await RespConnection.open(target);
  const editor = createInterface({
    input: io.stdin,
    output: io.stdout,
    terminal: true,
    prompt: "seshat> ",
    historySize: HISTORY_LINES,
    removeHistoryDuplicates: true,
  });
  const close = (): void => editor.close();
  io.interrupt.addEventListener("abort", close, { once: true });
  try {
    editor.prompt();
    for await (const line of editor) {
      const args = splitLine(line);
      const name = args?.length === 1 ? line.trim().toLowerCase() : "";
      if (name === "quit" || name === "exit") return;
      if (args === null) io.stdout.write("(error) a quote is not closed, or not followed by a blank\n");
      else if (name === "help") io.stdout.write(HELP);
      else if (name === "status") await showStatus(target, null, io);
      else if (args.length > 0) io.stdout.write(`${showReply(await connection.send(encodeCommand(args)))}\n`);
      if (!io.interrupt.aborted) editor.prompt();
    }
    io.stdout.write("\n");
  } finally {
    io.interrupt.removeEventListener("abort", close);
    editor.close();
  }
}

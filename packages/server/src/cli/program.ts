import { readFileSync } from "node:fs";
import { InvalidValueError, SeshatError } from "@seshat/common";
import { Command, CommanderError } from "commander";
import { CliError, EXIT } from "./exit-codes.js";
import type { CliIo } from "./io.js";
import type { StartFlags } from "./start-options.js";
import { addStartOptions, configOf } from "./start-options.js";
import { runStart } from "./start.js";

/**
 * Runs the program to its end.
 *
 * @param args the command line, without the program and script that Node puts before it.
 * @returns the exit code.
 */
export async function runProgram(args: readonly string[], io: CliIo): Promise<number> {
  let code: number = EXIT.ok;
  const program = makeProgram(io, (result) => (code = result));
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof CliError) return say(io, error.message, error.exitCode);
    if (error instanceof InvalidValueError) return say(io, error.message, EXIT.usage);
    if (error instanceof SeshatError || isSystemError(error)) return say(io, error.message, EXIT.failed);
    const story = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return say(io, `internal error: ${story}`, EXIT.internal);
  }
}

function say(io: CliIo, message: string, code: number): number {
  io.stderr.write(`error: ${message}\n`);
  return code;
}

function isSystemError(error: unknown): error is Error {
  return error instanceof Error && "syscall" in error;
}

function makeProgram(io: CliIo, ended: (code: number) => void): Command {
  const program = new Command("seshat")
    .description("A linearizable, Redis-compatible key-value server.")
    .version(readVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .showHelpAfterError("(--help explains the commands)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  addStartOptions(program.command("start").description("run a server, until SIGINT or SIGTERM")).action(
    async (flags: StartFlags) => ended(await runStart(configOf(flags), io)),
  );
  for (const command of program.commands) command.exitOverride();
  return program;
}

function readVersion(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/** Runs a program to its end. @returns what it wrote. @throws with what it complained of. */
export async function runCommand(command: readonly string[], input = ""): Promise<string> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  // A program that ends early leaves the rest of its input.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${String(code)}: ${err.trim()}`);
  return out;
}

/** For the moment when this process ends, and cannot wait for anything. */
export function runCommandNow(command: readonly string[]): void {
  const [program = "", ...args] = command;
  spawnSync(program, args, { stdio: "ignore" });
}

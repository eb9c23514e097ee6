import { readFileSync } from "node:fs";
import { spawnSync } from "node:child_process";

/** A call to the system, as `strace` saw it. */
export interface SystemCall {
  readonly name: string;
  /** Lines of the trace: when it began, and when it ended. */
  readonly began: number;
  readonly ended: number;
  /** The path behind its descriptor, or its first path; empty where there is none. */
  readonly path: string;
  /** The second path of a renaming. */
  readonly target: string;
  /** What was written. */
  readonly bytes: Buffer;
  readonly args: string;
  readonly result: number;
}

const CALLS = "write,pwrite64,writev,pwritev,fdatasync,fsync,openat,rename,renameat,renameat2,unlink";

/** Why no trace can be made on this machine; null when one can. */
export function whyNoTrace(): string | null {
  const { error, status, stderr } = spawnSync("strace", ["-f", "-o", "/dev/null", "true"], {
    encoding: "utf8",
  });
  if (error !== undefined) return "strace is not installed";
  return status === 0 ? null : `strace may not trace here: ${stderr.trim()}`;
}

/** What runs a program so that its calls stand in the file `path`. */
export function tracer(path: string): [string, ...string[]] {
  return ["strace", "-f", "-y", "-xx", "-s", "1000000", "-e", `trace=${CALLS}`, "-o", path];
}

/** Reads such a file: the calls that ended, in the order in which they began. */
export function readTrace(path: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const unfinished = new Map<string, { readonly text: string; readonly began: number }>();
  for (const [at, line] of readFileSync(path, "latin1").split("\n").entries()) {
    const [, thread = "", text = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (text.endsWith("<unfinished ...>")) {
      unfinished.set(thread, { text: text.slice(0, -"<unfinished ...>".length), began: at });
      continue;
    }
    const [, rest] = /^<\.\.\. \w+ resumed>(.*)$/.exec(text) ?? [];
    const begun = unfinished.get(thread);
    if (rest !== undefined && begun !== undefined) {
      unfinished.delete(thread);
      calls.push(...parse(begun.text + rest, begun.began, at));
    } else calls.push(...parse(text, at, at));
  }
  return calls.toSorted((a, b) => a.began - b.began);
}

function parse(text: string, began: number, ended: number): SystemCall[] {
  const [, name, args, result] = /^(\w+)\((.*)\) += (-?\d+)/.exec(text) ?? [];
  if (name === undefined || args === undefined) return [];
  const descriptor = /^\d+<([^>]*)>/.exec(args)?.[1];
  const texts = [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = ""]) => unhex(hex));
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = texts;
  return [
    {
      name,
      began,
      ended,
      path: descriptor === undefined ? first.toString() : unhex(descriptor).toString(),
      target: second.toString(),
      bytes: Buffer.concat(texts),
      args,
      result: Number(result),
    },
  ];
}

function unhex(text: string): Buffer {
  return Buffer.from(text.replaceAll("\\x", ""), "hex");
}

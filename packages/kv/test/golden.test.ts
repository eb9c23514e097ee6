import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Reply } from "../src/index.js";
import { KvStateMachine, REDIS_MAX_BYTES, encodeKvEntry } from "../src/index.js";
import { command } from "./node.js";

/** What redis-server 7.0.15 has answered to commands that were sent to it one after the other: `[command, reply]` a line. */
function golden(name: string): [string[], unknown][] {
  const lines = readFileSync(new URL(`golden/${name}.jsonl`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n");
  return lines.map((line) => JSON.parse(line) as [string[], unknown]);
}

/** As the recording has it: `$bytes`, `:1`, `+OK`, `-ERR`, `nil`, `nilarray`, arrays as in RESP2. */
function recorded(reply: Reply): unknown {
  if (reply === null) return "nil";
  if (typeof reply === "number" || typeof reply === "bigint") return `:${reply}`;
  if (reply instanceof Uint8Array) return `$${Buffer.from(reply).toString("latin1")}`;
  if ("length" in reply) return reply.map(recorded);
  switch (reply.type) {
    case "simple":
      return `+${reply.text}`;
    case "error":
      return `-${reply.message}`;
    case "nullArray":
      return "nilarray";
    case "map":
    case "pairs":
      return reply.entries.flat().map(recorded);
    case "set":
      return reply.items.map(recorded);
    case "double":
      return `$${formatScore(reply.value)}`;
    default:
      return reply satisfies never;
  }
}

/** As `%.17g`, of the scores that are here. */
function formatScore(score: number): string {
  if (!Number.isFinite(score)) return score > 0 ? "inf" : "-inf";
  if (Number.isInteger(score) && Math.abs(score) < 1e17) return String(score);
  const [digits, power] = score.toExponential(16).split("e") as [string, string];
  const exponent = Number(power);
  if (exponent >= -5 && exponent < 17) return score.toFixed(16 - exponent).replace(/\.?0+$/, "");
  const sign = exponent < 0 ? "-" : "+";
  return `${digits.replace(/\.?0+$/, "")}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

const UNORDERED = new Set(["SMEMBERS", "HKEYS", "HVALS", "SINTER", "SUNION", "SDIFF"]);

function comparable(name: string, reply: unknown): unknown {
  if (!Array.isArray(reply)) return reply;
  if (UNORDERED.has(name)) return reply.map(String).sort();
  if (name !== "HGETALL") return reply;
  return reply
    .flatMap((field, i) => (i % 2 === 0 ? [`${field}=${String(reply[i + 1]).slice(1)}`] : []))
    .sort();
}

describe("what Redis answered, the state machine answers", () => {
  test.each(["strings", "types"])("%s", (name) => {
    const machine = new KvStateMachine();
    const limits = { maxKeyBytes: REDIS_MAX_BYTES, maxValueBytes: REDIS_MAX_BYTES };
    const apply = (index: number, args: Uint8Array[]): Reply => {
      const parts = [
        { type: "config" as const, config: limits },
        { type: "command" as const, args },
      ];
      const entry = encodeKvEntry({ timeMs: 1_700_000_000_000, seed: 1, parts });
      return machine.apply(index, { data: entry }).replies[1] as Reply;
    };
    const differences = golden(name).flatMap(([words, expected], i) => {
      const found = comparable((words[0] as string).toUpperCase(), recorded(apply(i + 1, command(words))));
      return JSON.stringify(found) === JSON.stringify(expected) ? [] : [{ words, expected, found }];
    });
    expect(differences.slice(0, 5)).toEqual([]);
  });
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runProgram } from "../src/prompt/program.js";
import { quote } from "../src/prompt/quote.js";
import type { KeyValueClusterStatus } from "../src/index.js";
import { CapturedOutput, TestInput } from "./support/streams.js";
import { realTextLines } from "./support/real-text.js";

const LINES = 100_000;
const LONGEST_VALUE = 65_536;
/** Snapshots are also taken by themselves; these are sure to come, however fast the machine is. */
const SNAPSHOT_EVERY = 20_000;

/** The commands: every line set under its number, with a restart half-way and another before all are read back. */
function* commands(lines: readonly Uint8Array[]): Generator<string> {
  for (const [i, line] of lines.entries()) {
    yield `SET ${i + 1} ${quote(line)}\n`;
    if ((i + 1) % SNAPSHOT_EVERY === 0) yield "SNAPSHOT\n";
    if (i + 1 === LINES / 2) yield "RESTART\n";
  }
  yield "RESTART\n";
  for (let number = 1; number <= LINES; number += 1) yield `GET ${number}\n`;
  yield "STATUS\n";
}

test(
  "every line of a large real text comes back equal after snapshots, purges and restarts",
  { timeout: 60_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "seshat-real-input-"));
    try {
      const lines = realTextLines(LINES, LONGEST_VALUE);
      const path = join(folder, "commands.txt");
      await writeFile(path, [...commands(lines)].join(""));
      const stdout = new CapturedOutput();
      const stderr = new CapturedOutput();
      const exitCode = await runProgram(["--file", path, "--snapshot-every", "40000", "--keep", "100"], {
        stdin: new TestInput(),
        stdout,
        stderr,
        env: {},
        interrupt: new AbortController().signal,
        now: () => performance.now(),
      });

      const answers = stdout.text.trimEnd().split("\n");
      const set = answers.slice(0, -LINES - 1);
      const read = answers.slice(-LINES - 1, -1);
      expect(set.filter((answer) => answer === "OK")).toHaveLength(LINES);
      expect(set.filter((answer) => answer.startsWith("OK, snapshot"))).toHaveLength(LINES / SNAPSHOT_EVERY);
      expect(set.filter((answer) => answer.startsWith("OK, restarted"))).toEqual([
        "OK, restarted and leading in term 2",
        "OK, restarted and leading in term 3",
      ]);
      expect(set).toHaveLength(LINES + LINES / SNAPSHOT_EVERY + 2);
      const different = lines.map((line, i) => ({ number: i + 1, line: quote(line), read: read[i] }));
      expect(different.filter((pair) => pair.line !== pair.read)).toEqual([]);

      const status = JSON.parse(answers.at(-1) ?? "") as KeyValueClusterStatus;
      expect(status).toMatchObject({ keys: LINES, nodes: [{ term: 3 }] });
      expect(status.snapshotsTaken).toBeGreaterThanOrEqual(5);
      expect(status.nodes[0]?.purged?.index).toBeGreaterThanOrEqual(LINES - 100);
      expect(stderr.text).toMatch(/^errors +0$/m);
      expect(exitCode).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

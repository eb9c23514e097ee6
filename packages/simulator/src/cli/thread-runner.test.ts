import { MessageChannel } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import type { SeedReport, SeedTask } from "./run-seed.js";
import { serveSeeds, threadRunner } from "./thread-runner.js";

const TASK: SeedTask = { seed: 6, size: 3, maxSteps: 200, twice: false };

/** A thread that does this with every task. */
function thread(program: string): URL {
  const source = `import { parentPort } from "node:worker_threads"; parentPort.on("message", (task) => { ${program} });`;
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}

describe("a thread that runs seeds", () => {
  test("answers with what came of each, one after another", async () => {
    const runner = threadRunner(thread("parentPort.postMessage({ report: { seed: task.seed } })"));
    expect(await runner.run(TASK)).toStrictEqual({ seed: 6 });
    expect(await runner.run({ ...TASK, seed: 7 })).toStrictEqual({ seed: 7 });
    runner.stop();
  });

  test("passes on what went wrong in a run", async () => {
    const runner = threadRunner(thread(`parentPort.postMessage({ error: "no such plan" })`));
    await expect(runner.run(TASK)).rejects.toThrow("seed 6: no such plan");
    runner.stop();
  });

  test.each([
    ["breaks down", `throw new Error("bad luck")`, "bad luck"],
    ["ends", "process.exit(3)", "the thread that ran seed 6 ended with 3"],
  ])("that %s leaves nobody waiting", async (_, program, problem) => {
    const runner = threadRunner(thread(program));
    await expect(runner.run(TASK)).rejects.toThrow(problem);
    runner.stop();
  });

  test("serves the seeds that it is asked for", async () => {
    const { port1, port2 } = new MessageChannel();
    serveSeeds(port1);
    const answers = new Promise<readonly unknown[]>((resolve) => {
      const got: unknown[] = [];
      port2.on("message", (answer) => {
        if (got.push(answer) === 2) resolve(got);
      });
    });
    port2.postMessage({ ...TASK, size: 99 });
    port2.postMessage(TASK);
    const [refused, done] = (await answers) as [{ error: string }, { report: SeedReport }];
    port2.close();
    expect(refused.error).toContain("options.size is 99");
    expect(done.report).toMatchObject({ seed: 6, violation: null, picture: null });
    expect(done.report.steps).toBeGreaterThanOrEqual(200);
  });
});

import type { MessagePort } from "node:worker_threads";
import { Worker } from "node:worker_threads";
import type { SeedReport, SeedRunner, SeedTask } from "./run-seed.js";
import { localRunner } from "./run-seed.js";

type Answer = { readonly report: SeedReport } | { readonly error: string };

/** Starts a thread that runs one seed at a time. @param program a module that calls {@link serveSeeds} on such a thread. */
export function threadRunner(program: URL): SeedRunner {
  // Nearly all that a run makes is garbage soon: more room for it costs fewer collections.
  const worker = new Worker(program, { resourceLimits: { maxYoungGenerationSizeMb: 96 } });
  return {
    run: (task) =>
      new Promise((resolve, reject) => {
        const settle = (end: () => void): void => {
          worker.off("message", answered);
          worker.off("error", broke);
          worker.off("exit", ended);
          end();
        };
        const answered = (answer: Answer): void =>
          settle(() => {
            if ("report" in answer) resolve(answer.report);
            else reject(new Error(`seed ${task.seed}: ${answer.error}`));
          });
        const broke = (error: unknown): void =>
          settle(() => reject(error instanceof Error ? error : new Error(String(error))));
        const ended = (code: number): void =>
          settle(() => reject(new Error(`the thread that ran seed ${task.seed} ended with ${code}`)));
        worker.on("message", answered);
        worker.on("error", broke);
        worker.on("exit", ended);
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin, unlike a window
        worker.postMessage(task);
      }),
    stop: () => void worker.terminate(),
  };
}

/** The other side: runs what it is asked to run. */
export function serveSeeds(port: MessagePort): void {
  port.on("message", (task: SeedTask) => {
    localRunner.run(task).then(
      (report) => port.postMessage({ report } satisfies Answer),
      (thrown: unknown) => port.postMessage({ error: String(thrown) } satisfies Answer),
    );
  });
}

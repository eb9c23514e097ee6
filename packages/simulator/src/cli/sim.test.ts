import { describe, expect, test } from "vitest";
import { makePlan } from "../faults/plan.js";
import { Violation } from "../oracle/violation.js";
import { parseOptions } from "./options.js";
import type { OneOptions } from "./options.js";
import { runOne } from "./run-one.js";
import type { SeedReport, SeedRunner, SeedTask } from "./run-seed.js";
import { sim } from "./sim.js";
import type { SimIo } from "./sim-io.js";

/** A world in which runs are over at once, and a clock goes on by a second with each look. */
class World implements SimIo {
  stdout = "";
  stderr = "";
  showsProgress = false;
  showsColour = false;
  readonly abort = new AbortController();
  readonly files = new Map<string, string>();
  readonly tasks: SeedTask[] = [];
  stopped = 0;
  report: (seed: number) => Partial<SeedReport> | Promise<never> = () => ({});
  #now = 0;

  get interrupted(): AbortSignal {
    return this.abort.signal;
  }

  out(text: string): void {
    this.stdout += text;
  }

  err(text: string): void {
    this.stderr += text;
  }

  now(): number {
    this.#now += 1_000;
    return this.#now;
  }

  freshSeed(): number {
    return 4711;
  }

  startRunner(): SeedRunner {
    return {
      run: async (task) => {
        this.tasks.push(task);
        const plain = { steps: 10, virtualMs: 1_000, violation: null, picture: null, coverage: [] };
        return { seed: task.seed, ...plain, ...(await this.report(task.seed)) };
      },
      stop: () => {
        this.stopped += 1;
      },
    };
  }

  writeFile(folder: string, name: string, text: string): Promise<void> {
    this.files.set(`${folder}/${name}`, text);
    return Promise.resolve();
  }
}

const BROKEN = {
  violation: { property: "B1 election safety", message: "two led term 7" },
  picture: "<svg/>",
};

describe("many seeds", () => {
  test("are shared by the threads, each is run once, and the table and the rates come at the end", async () => {
    const world = new World();
    world.report = () => ({ coverage: [["crash", 2]] });
    expect(await sim(["--seeds", "9", "--from", "5", "--jobs", "2", "--size", "3"], world)).toBe(0);
    expect(world.tasks.map(({ seed }) => seed).sort((a, b) => a - b)).toStrictEqual([
      5, 6, 7, 8, 9, 10, 11, 12, 13,
    ]);
    expect(world.tasks[0]).toMatchObject({ size: 3, maxSteps: null, twice: false });
    expect(world.stopped).toBe(2);
    expect(world.stdout).toMatch(/^ {2}crash {2,}18$/m);
    expect(world.stdout).toMatch(/^ {2}crashAll {2,}never$/m);
    expect(world.stdout).toMatch(
      /\n9 seeds, 90 steps, 0\.00 virtual hours in \d+ s\n.* steps\/s, .* seeds\/s, .* virtual hours a minute\n0 violations\n$/,
    );
    expect(world.stderr).toBe("");
  });

  test("that fail are named with the property and the command that runs them again, and cost the exit code", async () => {
    const world = new World();
    world.report = (seed) => (seed === 3 ? BROKEN : {});
    expect(await sim(["--seeds", "4", "--jobs", "2", "--size", "5", "--out", "pictures"], world)).toBe(1);
    expect(world.stdout).toContain("\nseed 3 FAILS: B1 election safety\ntwo led term 7\n");
    expect(world.stdout).toContain("\nRun it again: pnpm sim --seed 3 --size 5 --trace\n");
    expect(world.stdout).toContain("A picture of the illegal part: pictures/seed-3.svg\n");
    expect(world.files).toStrictEqual(new Map([["pictures/seed-3.svg", "<svg/>"]]));
    expect(world.stdout).toMatch(/\n1 violation\n$/);
    expect(world.stdout).not.toContain("\u001b");
  });

  test("are coloured, and show how far they are, only on a terminal", async () => {
    const world = Object.assign(new World(), { showsColour: true, showsProgress: true });
    world.report = (seed) => (seed === 2 ? BROKEN : {});
    expect(await sim(["--seeds", "4", "--jobs", "2"], world)).toBe(1);
    expect(world.stdout).toContain("\u001b[31mseed 2 FAILS");
    expect(world.stderr).toContain("\r\u001b[K[========================] 4 seeds, ");
    expect(world.stderr.endsWith("\r\u001b[K")).toBe(true);
  });

  test("are as many as the time allows", async () => {
    const world = new World();
    expect(await sim(["--minutes", "0.5", "--jobs", "2"], world)).toBe(0);
    // Each look at the clock takes a second.
    expect(world.tasks.length).toBeGreaterThan(4);
    expect(world.tasks.length).toBeLessThan(30);
  });

  test("begin at a fresh one, which is printed", async () => {
    const world = new World();
    await sim(["--fresh", "--seeds", "2", "--jobs", "2"], world);
    expect(world.stdout).toMatch(/^fresh seeds, from 4711 on\n/);
    expect(world.tasks.map(({ seed }) => seed)).toStrictEqual([4711, 4712]);
  });

  test("as JSON are one object, and everything else goes to standard error", async () => {
    const world = new World();
    world.report = (seed) => (seed === 8 ? BROKEN : { coverage: [["crash", 1]] });
    expect(await sim(["--from", "7", "--seeds", "2", "--jobs", "2", "--json", "--steps", "50"], world)).toBe(
      1,
    );
    const found = JSON.parse(world.stdout) as Record<string, unknown>;
    expect(found).toMatchObject({
      from: 7,
      seeds: 2,
      steps: 20,
      virtualMs: 2_000,
      interrupted: false,
      coverage: { crash: 1 },
    });
    expect(found["violations"]).toStrictEqual([
      { seed: 8, ...BROKEN.violation, replay: "pnpm sim --seed 8 --steps 50 --trace" },
    ]);
    expect(found["never"]).toContain("crashAll");
    expect(world.stderr).toContain("seed 8 FAILS");
  });

  test("in which something never happened are no pass where coverage is required", async () => {
    const world = new World();
    expect(await sim(["--seeds", "2", "--jobs", "2", "--require-coverage"], world)).toBe(1);
    expect(world.stdout).toContain("never happened, but is required: crash, crashAll, ");
    expect(world.stdout).toContain("\n0 violations\n");
  });

  test("that are interrupted end with what they have so far, and with 130", async () => {
    const world = new World();
    world.report = (seed) => {
      if (seed < 3) return {};
      world.abort.abort();
      return new Promise<never>(() => {});
    };
    expect(await sim(["--jobs", "2"], world)).toBe(130);
    expect(world.stdout).toMatch(/\n2 seeds, .*\n.*\n0 violations\ninterrupted\n$/);
    expect(world.stopped).toBe(2);
  });

  test("are given up when a thread breaks down, and the others are stopped", async () => {
    const world = new World();
    world.report = () => Promise.reject(new Error("out of memory"));
    await expect(sim(["--jobs", "2"], world)).rejects.toThrow("out of memory");
    expect(world.stopped).toBe(2);
  });

  test("run on this thread where there is to be one only, each twice where that is asked for", async () => {
    const world = new World();
    expect(await sim(["--seeds", "1", "--steps", "200", "--size", "3", "--twice"], world)).toBe(0);
    expect(world.tasks).toStrictEqual([]);
    expect(world.stdout).toMatch(/^ {2}messages sent {2,}\d+$/m);
    expect(world.stdout).toMatch(/\n1 seed, \d{3} steps, /);
  });
});

describe("one seed", () => {
  test("is run, and its trace printed line by line", async () => {
    const world = new World();
    expect(await sim(["--seed", "2", "--steps", "300", "--trace"], world)).toBe(0);
    const lines = world.stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^\d\.\d+ node 1 starts$/);
    expect(lines.length).toBeGreaterThan(300);
    expect(lines.at(-1)).toMatch(/^seed 2: \d{3} steps, trace [0-9a-f]{8}$/);
  });

  test("that fails is minimized, and what is left is printed with its trace", async () => {
    const world = new World();
    const options = parseOptions(["--seed", "3", "--minimize", "--out", "pictures"]) as OneOptions;
    const culprit = makePlan(3).actions[5];
    const base = {
      seed: 3,
      steps: 1,
      virtualMs: 1,
      traceHash: "0",
      trace: [],
      coverage: new Map<string, number>(),
    };
    const code = await runOne(options, world, (plan, { trace }) => {
      if (typeof trace === "function") trace(`${plan.actions.length} actions`);
      const fails = plan.actions.some(({ at }) => at === culprit?.at);
      const violation = fails ? new Violation("A2 terms rise", "4 after 5") : null;
      return Promise.resolve({ ...base, violation, picture: "<svg/>" });
    });
    expect(code).toBe(1);
    expect(world.stdout).toContain("seed 3 FAILS: A2 terms rise\nA2 terms rise: 4 after 5\n");
    expect(world.stdout).toContain('It takes no more than this:\n{\n  "seed": 3,');
    expect(world.stdout).toMatch(/\nWhat happens then:\n1 actions\n$/);
    expect(world.stdout).toContain(JSON.stringify(culprit?.at));
    expect([...world.files.keys()]).toStrictEqual(["pictures/seed-3.svg"]);
  });
});

describe("options", () => {
  test("that make no sense are explained on standard error, with exit code 2", async () => {
    const world = new World();
    expect(await sim(["--jobs", "none"], world)).toBe(2);
    expect(world.stderr).toBe('--jobs is "none", but it must be a whole number from 1 to 64\nTry --help.\n');
    expect(world.stdout).toBe("");
  });

  test("are taught by --help", async () => {
    const world = new World();
    expect(await sim(["--help"], world)).toBe(0);
    expect(world.stdout).toContain("Usage: pnpm sim [options]");
  });
});

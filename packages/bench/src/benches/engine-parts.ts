import type { EngineStep } from "@seshat/raft";
import { DEFAULT_RAFT_CONFIG } from "@seshat/raft";
import { BENCH_CONFIG } from "../cluster/bench-cluster.js";

type State = EngineStep["state"];

/** What an engine starts with, but for its log, which is empty. */
export type EngineStart = Pick<
  State,
  "id" | "incarnation" | "vote" | "memberships" | "applied" | "committed"
> & {
  readonly snapshot: State["applied"];
};

/** What is replayed on. */
export interface BareEngine {
  readonly state: State;
  step(event: EngineStep["event"], now: number): readonly unknown[];
}

/** The engine, which has no door of its own: applications reach it through `Raft`. */
export interface EngineParts {
  readonly makeEngine: (start: EngineStart, random: () => number, now: number) => BareEngine;
}

interface EngineModule {
  readonly Engine: new (start: unknown, options: unknown, now: number) => BareEngine;
}

interface LogTrailModule {
  readonly LogTrail: new () => unknown;
}

interface ConfigModule {
  readonly engineConfig: (config: unknown) => unknown;
  readonly engineSwitches: (config: unknown) => unknown;
}

/** Takes the engine from behind the doors of the raft package. @param home where the modules of that package lie. */
export async function loadEngineParts(
  home: string = import.meta.resolve("@seshat/raft"),
): Promise<EngineParts> {
  const extension = home.slice(home.lastIndexOf("."));
  const load = (module: string): Promise<unknown> => import(new URL(`${module}${extension}`, home).href);
  const { Engine } = (await load("engine/engine")) as EngineModule;
  const { LogTrail } = (await load("engine/log-trail")) as LogTrailModule;
  const { engineConfig, engineSwitches } = (await load("config")) as ConfigModule;
  const config = { ...DEFAULT_RAFT_CONFIG, ...BENCH_CONFIG };
  return {
    makeEngine: (start, random, now) =>
      new Engine(
        { ...start, log: new LogTrail() },
        { config: engineConfig(config), switches: engineSwitches(config), random, checkInvariants: false },
        now,
      ),
  };
}

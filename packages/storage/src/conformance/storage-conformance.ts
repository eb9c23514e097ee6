import type { RaftTypeConfig } from "@seshat/common";
import { checkInteger } from "@seshat/common";
import { APPLY_RULES } from "./apply-rules.js";
import type { ConformanceCase } from "./conformance-case.js";
import { conformanceCase, withinMs } from "./conformance-case.js";
import { CRASH_RULES, KILL_RULES } from "./crash-rules.js";
import { INSTALL_RULES } from "./install-rules.js";
import { LOG_RULES, READER_RULES } from "./log-rules.js";
import { IDENTITY_RULES, VOTE_RULES } from "./promise-rules.js";
import { PURGE_RULES, TRUNCATE_RULES } from "./removal-rules.js";
import { RESTART_RULES } from "./restart-rules.js";
import { BUILD_RULES, HALVES_RULES, RECEIVE_RULES } from "./snapshot-rules.js";
import { STEP_RULES } from "./step-rules.js";
import type { Medium, StorageRule } from "./storage-bench.js";
import { StorageBench } from "./storage-bench.js";
import type { ArmedCrash, StorageConformanceOptions, StorageFactory } from "./storage-factory.js";

/**
 * The rules of `RaftStorage` and `RaftStateMachine` as cases for any test runner: each makes its own stores, and fails with a
 * `ConformanceError` that says which rule is broken and how.
 *
 * What a store is asked to survive depends on what its factory can do: without `restart` there are no cases about restarts, without
 * `crash` none about crashes, without `kill` none about a crash after a process was killed, without `crashAt` none that crash within a call. A store that passes without them is not known to be durable.
 *
 * @throws {InvalidValueError} when an option is none.
 */
export function storageConformance<C extends RaftTypeConfig, M>(
  factory: StorageFactory<C, M>,
  { rounds = 20, timeoutMs = 30_000 }: StorageConformanceOptions = {},
): readonly ConformanceCase[] {
  checkInteger("options.rounds", rounds, 1);
  checkInteger("options.timeoutMs", timeoutMs, 1);
  const settle = factory.settle ?? withinMs(timeoutMs);
  const makeCase = (group: string, { name, run }: StorageRule): ConformanceCase =>
    conformanceCase(group, name, settle, () => {
      const create = (): Promise<Medium<C>> => openMedium(factory);
      const bench = new StorageBench<C>({ factory, rounds, fates: factory.fates ?? ["lost"], create });
      return { body: () => run(bench), cleanUp: () => bench.dispose() };
    });
  return groupsOf(factory).flatMap(([group, rules]) => rules.map((rule) => makeCase(group, rule)));
}

function groupsOf<C extends RaftTypeConfig, M>(
  factory: StorageFactory<C, M>,
): [string, readonly StorageRule[]][] {
  return [
    ["identity", IDENTITY_RULES],
    ["vote", VOTE_RULES],
    ["log", LOG_RULES],
    ["readers", READER_RULES],
    ["truncate", TRUNCATE_RULES],
    ["purge", PURGE_RULES],
    ["apply", APPLY_RULES],
    ["building snapshots", BUILD_RULES],
    ["receiving snapshots", RECEIVE_RULES],
    ["installing snapshots", INSTALL_RULES],
    ["both halves", HALVES_RULES],
    ["restart", factory.restart === undefined ? [] : RESTART_RULES],
    ["crash", factory.crash === undefined ? [] : CRASH_RULES],
    ["crash after a kill", factory.crash === undefined || factory.kill === undefined ? [] : KILL_RULES],
    ["crash within a call", factory.crash === undefined || factory.crashAt === undefined ? [] : STEP_RULES],
  ];
}

async function openMedium<C extends RaftTypeConfig, M>(factory: StorageFactory<C, M>): Promise<Medium<C>> {
  const medium = await factory.create();
  return {
    open: async () => factory.open(medium),
    restart: async () => factory.restart?.(medium),
    crash: async (fate) => factory.crash?.(medium, fate),
    kill: async () => factory.kill?.(medium),
    crashAt: (step) => factory.crashAt?.(medium, step) ?? NEVER,
    dispose: async () => factory.dispose?.(medium),
  };
}

/** Stands in where there is no case that would ask for it. */
const NEVER: ArmedCrash = { happened: new Promise(() => {}), disarm: () => {} };

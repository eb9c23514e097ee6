/**
 * The rules of the workspace, as tables. The tests beside this file apply them to every source file,
 * and show on planted violations that each of them can fail.
 *
 * Paths are from the package's folder; a violation names file, line and rule.
 */

/** What a package may import. */
export interface Layer {
  /** The packages whose arrow ends here, by folder. What those may import, this one may import too. */
  readonly above: readonly string[];
  /** Runs in browsers and workers too: no `node:*`, no Node globals, yields through `AsyncRuntime`. */
  readonly portable?: boolean;
}

/** Who may import whom. Nothing points back. A package without a row is refused. */
export const LAYERS: Readonly<Record<string, Layer>> = {
  common: { above: [], portable: true },
  storage: { above: ["common"], portable: true },
  raft: { above: ["storage"], portable: true },
  integration: { above: ["raft"] },
  simulator: { above: ["raft"] },
  "storage-rocksdb": { above: ["storage"] },
  "transport-grpc": { above: ["raft"] },
  resp: { above: [], portable: true },
  kv: { above: ["raft", "resp"], portable: true },
  server: { above: ["integration", "kv", "resp", "storage-rocksdb", "transport-grpc"] },
  bench: { above: ["integration", "server", "simulator"] },
  chaos: { above: ["server", "simulator"] },
  crash: { above: ["chaos"] },
  "workspace-checks": { above: ["bench", "chaos", "crash"] },
};

/** Globals that exist in Node alone, or reach around the injected clock and random source. */
export const NODE_GLOBALS: readonly string[] = [
  "Buffer",
  "process",
  "require",
  "module",
  "__dirname",
  "__filename",
  "global",
  "setImmediate",
  "clearImmediate",
];

/** An edge between two files of one package that must not be there. */
export interface ForbiddenImport {
  readonly rule: string;
  readonly folder: string;
  readonly importer: RegExp;
  readonly target: RegExp;
  readonly exceptImporter?: RegExp;
  readonly exceptTarget?: RegExp;
}

/** Rules inside `packages/raft/src`. Tests are exempt. */
export const FORBIDDEN_IMPORTS: readonly ForbiddenImport[] = [
  {
    rule: "the engine imports nothing from runtime, network or testing, nor the doors above them",
    folder: "raft",
    importer: /^src\/engine\//,
    target: /^src\/(?:runtime|network|testing)\/|^src\/(?:raft|raft-node|index|testing)\.ts$/,
  },
  {
    rule: "handlers never import each other",
    folder: "raft",
    importer: /^src\/engine\/on-/,
    target: /^src\/engine\/on-/,
  },
  {
    rule: "only engine.ts imports handlers",
    folder: "raft",
    importer: /^src\//,
    exceptImporter: /^src\/engine\/(?:engine|on-.*)\.ts$/,
    target: /^src\/engine\/on-/,
  },
  {
    rule: "only executor.ts imports lanes",
    folder: "raft",
    importer: /^src\//,
    exceptImporter: /^src\/runtime\/executor\.ts$/,
    target: /^src\/runtime\/[^/]*lane\.ts$/,
  },
  {
    rule: "lanes know events and commands, never engine state",
    folder: "raft",
    importer: /^src\/runtime\/[^/]*lane\.ts$/,
    target: /^src\/engine\//,
    exceptTarget: /^src\/engine\/(?:event|command)\.ts$/,
  },
];

/** Fields that one file alone may assign. */
export interface SingleWriter {
  readonly rule: string;
  readonly folder: string;
  /** The files the rule covers. Tests are exempt. */
  readonly scope: RegExp;
  /** The name of the field. */
  readonly field: RegExp;
  /** The name of what holds the field (`state` in `this.state.role`); left out, whatever holds it. */
  readonly holder?: RegExp;
  /** The one file that may write it. */
  readonly writer: RegExp;
}

export const SINGLE_WRITERS: readonly SingleWriter[] = [
  {
    rule: "role.ts is the only writer of the role",
    folder: "raft",
    scope: /^src\/engine\//,
    field: /^role$/,
    writer: /^src\/engine\/role\.ts$/,
  },
  {
    rule: "vote-rule.ts is the only writer of the vote",
    folder: "raft",
    scope: /^src\/engine\//,
    field: /^vote$/,
    writer: /^src\/engine\/vote-rule\.ts$/,
  },
  {
    rule: "commit.ts is the only writer of the commit index",
    folder: "raft",
    scope: /^src\/engine\//,
    field: /^commit(?:ted.*|Index)$/,
    writer: /^src\/engine\/commit\.ts$/,
  },
  {
    rule: "progress.ts is the only writer of matchIndex and nextIndex",
    folder: "raft",
    scope: /^src\/engine\//,
    field: /^(?:matchIndex|nextIndex)$/,
    writer: /^src\/engine\/progress\.ts$/,
  },
];

/** Code that must stay pure and synchronous: same events, same commands, on every machine. */
export interface PureCode {
  readonly rule: string;
  readonly folder: string;
  readonly scope: RegExp;
  readonly forbiddenGlobals: readonly string[];
}

export const PURE_CODE: readonly PureCode[] = [
  {
    rule: "the engine has no async, no clock, no randomness and no I/O of its own",
    folder: "raft",
    scope: /^src\/engine\//,
    forbiddenGlobals: [
      "Date",
      "Promise",
      "performance",
      "crypto",
      "setTimeout",
      "setInterval",
      "queueMicrotask",
      "fetch",
      "console",
      "Math.random",
    ],
  },
];

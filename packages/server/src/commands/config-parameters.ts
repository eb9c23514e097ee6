import type { KvConfig } from "@seshat/kv";
import { REDIS_MAX_BYTES } from "@seshat/kv";
import type { ClientLimits } from "../server/limits.js";
import { CommandError } from "./command-error.js";

/** A change of the replicated configuration; or one of this server, which is made by the call. */
export type Change = Partial<KvConfig> | (() => void);

/** A parameter of CONFIG. */
export interface Parameter {
  readonly name: string;
  get(): string;
  /** Checks a value, and gives the change. Null where it cannot be changed while the server runs. */
  readonly set: ((value: string) => Change) | null;
}

/** What the parameters show and change. */
export interface ParameterSource {
  readonly limits: ClientLimits;
  readonly kvConfig: () => KvConfig;
  /** What is fixed: port, bind, dir and the like. */
  readonly fixed: Readonly<Record<string, string>>;
}

/**
 * Settings of Redis that choose among ways to keep data, which this server does not have. They are kept and shown, so that programs which
 * set them go on, and change nothing.
 */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  "active-expire-effort": "1",
  "hash-max-listpack-entries": "512",
  "hash-max-listpack-value": "64",
  "hash-max-ziplist-entries": "512",
  "hash-max-ziplist-value": "64",
  "list-compress-depth": "0",
  "list-max-listpack-size": "-2",
  "list-max-ziplist-size": "-2",
  "set-max-intset-entries": "512",
  "zset-max-listpack-entries": "128",
  "zset-max-listpack-value": "64",
  "zset-max-ziplist-entries": "128",
  "zset-max-ziplist-value": "64",
  "lazyfree-lazy-user-del": "no",
  "slowlog-log-slower-than": "10000",
  "slowlog-max-len": "128",
};

export class ConfigParameters {
  readonly #byName: ReadonlyMap<string, Parameter>;

  constructor(source: ParameterSource) {
    this.#byName = new Map(makeParameters(source).map((parameter) => [parameter.name, parameter]));
  }

  get all(): Iterable<Parameter> {
    return this.#byName.values();
  }

  find(name: string): Parameter | undefined {
    return this.#byName.get(name);
  }
}

function makeParameters({ limits, kvConfig, fixed }: ParameterSource): Parameter[] {
  const inert = new Map(Object.entries(WITHOUT_EFFECT));
  return [
    ...Object.entries(fixed).map(([name, value]): Parameter => ({ name, get: () => value, set: null })),
    ...[...inert.keys()].map((name): Parameter => ({
      name,
      get: () => inert.get(name) ?? "",
      set: (value) => () => void inert.set(name, value.slice(0, 64)),
    })),
    replicated("maxmemory", "maxMemoryBytes", 0, Number.MAX_SAFE_INTEGER, kvConfig),
    replicated("max-key-bytes", "maxKeyBytes", 1, REDIS_MAX_BYTES, kvConfig),
    replicated("max-value-bytes", "maxValueBytes", 1, REDIS_MAX_BYTES, kvConfig),
    local("maxclients", limits, "maxClients", 1, 1_000_000),
    local("timeout", limits, "idleSeconds", 0, 2_000_000),
    {
      name: "requirepass",
      get: () => limits.password,
      set: (value) => () => void (limits.password = value),
    },
  ];
}

function replicated(
  name: string,
  field: keyof KvConfig,
  min: number,
  max: number,
  config: () => KvConfig,
): Parameter {
  return {
    name,
    get: () => String(config()[field]),
    set: (value) => ({ [field]: memory(name, value, min, max) }),
  };
}

function local(
  name: string,
  limits: ClientLimits,
  field: "maxClients" | "idleSeconds",
  min: number,
  max: number,
): Parameter {
  return {
    name,
    get: () => String(limits[field]),
    set: (text) => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : -1;
      if (value < min || value > max)
        throw refused(name, `argument must be between ${min} and ${max} inclusive`);
      return () => void (limits[field] = value);
    },
  };
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1000 ** 2,
  mb: 1024 ** 2,
  g: 1000 ** 3,
  gb: 1024 ** 3,
};

/** A number of bytes, with a unit or without. */
function memory(name: string, text: string, min: number, max: number): number {
  const [, digits = "", unit = ""] = /^(\d{1,15})([a-z]{0,2})$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (digits === "" || factor === undefined) throw refused(name, "argument must be a memory value");
  const value = Number(digits) * factor;
  if (value < min || value > max) throw refused(name, `argument must be between ${min} and ${max} inclusive`);
  return value;
}

export function refused(name: string, why: string): CommandError {
  return new CommandError(`ERR CONFIG SET failed (possibly related to argument '${name}') - ${why}`);
}

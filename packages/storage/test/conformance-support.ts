import type { BytesTypeConfig } from "@seshat/common";
import type { ConformanceCase, OpenStorage, StorageFactory } from "../src/conformance.js";
import { ConformanceError } from "../src/conformance.js";
import { KeyValueStateMachine, OpenRaftMemStorage, encodeOperation } from "../src/index.js";
import { text, utf8 } from "./helpers.js";

type Open = OpenStorage<BytesTypeConfig>;

/** An object, and how often it was opened. */
export interface MemMedium {
  storage: OpenRaftMemStorage;
  life: number;
}

/** Storage in memory, of which `wrap` may make something else, by the number of its life. */
export function memFactory(
  wrap: (open: Open, life: number) => Open = (open) => open,
): StorageFactory<BytesTypeConfig, MemMedium> {
  return {
    create: () => ({ storage: new OpenRaftMemStorage(new KeyValueStateMachine()), life: 0 }),
    open: (medium) => {
      medium.life += 1;
      const { storage } = medium;
      return wrap({ storage, stateMachine: storage.stateMachine }, medium.life);
    },
    restart: () => {},
    command: (n) => ({
      data: encodeOperation({ type: "set", key: utf8(`k${n % 8}`), value: utf8(`${n}`) }),
    }),
    node: (id) => ({ addr: `node-${id}` }),
    readState: ({ stateMachine }) => {
      const { inner } = stateMachine as OpenRaftMemStorage["stateMachine"];
      const kv = inner as KeyValueStateMachine;
      return Array.from({ length: 8 }, (_, i) => text(kv.get(utf8(`k${i}`))));
    },
  };
}

/** The same object but for some of its members. */
export function but<T extends object>(inner: T, changes: (inner: T) => Partial<T>): T {
  const changed = changes(inner) as Readonly<Record<PropertyKey, unknown>>;
  return new Proxy(inner, {
    get(target, key): unknown {
      if (Object.hasOwn(changed, key)) return changed[key];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** What the case of this name says of an implementation; null when it finds nothing. */
export async function verdict(cases: readonly ConformanceCase[], name: string): Promise<string | null> {
  const found = cases.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no case "${name}"`);
  try {
    await found.run();
    return null;
  } catch (error) {
    if (error instanceof ConformanceError && error.rule === name) return error.problem;
    throw error;
  }
}

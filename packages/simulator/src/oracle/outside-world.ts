/** What a program can read that is neither its state nor its input, as one process finds it. All are called afresh for each reading. */
export interface OutsideWorld {
  /** Milliseconds since 1970, for `Date.now()` and `new Date()`. */
  readonly date: () => number;
  /** Milliseconds, for `performance.now()`. */
  readonly performance: () => number;
  /** Milliseconds, for `process.hrtime()`. */
  readonly hrtime: () => number;
  /** From 0 to 1, for `Math.random()`. */
  readonly random: () => number;
  /** From 0 to 1, for the global `crypto`. */
  readonly crypto: () => number;
}

/** What a source is called in messages. */
export const SOURCE_NAMES: Readonly<Record<keyof OutsideWorld, string>> = {
  date: "Date.now() or new Date()",
  performance: "performance.now()",
  hrtime: "process.hrtime()",
  random: "Math.random()",
  crypto: "crypto.randomUUID() or crypto.getRandomValues()",
};

/** The worlds of what is at work, the latest last: a restore may still be under way when something else begins. */
const entered: OutsideWorld[] = [];

interface Replaced {
  readonly of: object;
  readonly key: string;
  readonly with: unknown;
}

let installations = 0;
let putBack: (() => void)[] = [];

/**
 * From now on what runs by `within` finds the world that it is given. Everything else goes on finding the real one.
 *
 * @returns undoes it; to be called once.
 */
export function installOutsideWorlds(): () => void {
  installations += 1;
  if (installations === 1) putBack = replacements().map((replaced) => replace(replaced));
  return () => {
    installations -= 1;
    if (installations === 0) for (const undo of putBack.splice(0)) undo();
  };
}

/** Runs something in a world. */
export function within<T>(world: OutsideWorld, run: () => T): T {
  entered.push(world);
  try {
    return run();
  } finally {
    leave(world);
  }
}

/** Runs something in a world until its promise settles. What else runs meanwhile is in it too, unless it has its own. */
export async function withinUntilSettled(world: OutsideWorld, run: () => unknown): Promise<void> {
  entered.push(world);
  try {
    await run();
  } finally {
    leave(world);
  }
}

function leave(world: OutsideWorld): void {
  entered.splice(entered.lastIndexOf(world), 1);
}

function replace({ of, key, with: value }: Replaced): () => void {
  const before = Object.getOwnPropertyDescriptor(of, key);
  Object.defineProperty(of, key, { configurable: true, writable: true, enumerable: false, value });
  return () => {
    if (before === undefined) Reflect.deleteProperty(of, key);
    else Object.defineProperty(of, key, before);
  };
}

function replacements(): Replaced[] {
  const RealDate = globalThis.Date;
  const dateNow = RealDate.now.bind(RealDate);
  const random = Math.random.bind(Math);
  const { performance, crypto } = globalThis;
  const performanceNow = performance.now.bind(performance);
  const now = (): number => Math.floor(entered.at(-1)?.date() ?? dateNow());
  const date = new Proxy(RealDate, {
    construct: (target, args: [], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
    apply: () => new RealDate(now()).toString(),
  });
  const { hrtime } = process;
  return [
    // Code may hold on to the class: so its method is replaced too.
    { of: RealDate, key: "now", with: now },
    { of: globalThis, key: "Date", with: date },
    { of: Math, key: "random", with: () => entered.at(-1)?.random() ?? random() },
    {
      of: performance,
      key: "now",
      with: () => entered.at(-1)?.performance() ?? performanceNow(),
    },
    {
      of: process,
      key: "hrtime",
      with: Object.assign(hrtimeOf(hrtime), { bigint: bigintOf(() => hrtime.bigint()) }),
    },
    { of: crypto, key: "getRandomValues", with: valuesOf(crypto.getRandomValues.bind(crypto)) },
    { of: crypto, key: "randomUUID", with: uuidOf(crypto.randomUUID.bind(crypto)) },
  ];
}

function hrtimeOf(real: typeof process.hrtime): (since?: [number, number]) => [number, number] {
  return (since) => {
    const world = entered.at(-1);
    if (world === undefined) return real(since);
    const ms = world.hrtime() - (since === undefined ? 0 : since[0] * 1e3 + since[1] / 1e6);
    return [Math.floor(ms / 1e3), Math.floor((ms % 1e3) * 1e6)];
  };
}

function bigintOf(real: () => bigint): () => bigint {
  return () => {
    const world = entered.at(-1);
    return world === undefined ? real() : BigInt(Math.floor(world.hrtime() * 1e6));
  };
}

function valuesOf(real: (array: never) => unknown): (array: ArrayBufferView) => unknown {
  return (array) => {
    const world = entered.at(-1);
    if (world === undefined) return real(array as never);
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = Math.floor(world.crypto() * 256);
    return array;
  };
}

function uuidOf(real: () => string): () => string {
  return () => {
    const world = entered.at(-1);
    if (world === undefined) return real();
    const digit = (): string => Math.floor(world.crypto() * 16).toString(16);
    return "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, digit);
  };
}

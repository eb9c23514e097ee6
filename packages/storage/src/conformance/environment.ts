/** What a state machine may not ask, because every replica would get another answer. */
export type ForbiddenSource = "Date" | "Math.random" | "performance.now" | "crypto";

export const FORBIDDEN_SOURCES: readonly ForbiddenSource[] = [
  "Date",
  "Math.random",
  "performance.now",
  "crypto",
];

/** What to call a source in a message. */
export const SOURCE_NAMES: Readonly<Record<ForbiddenSource, string>> = {
  Date: "the time of day (Date.now() or new Date())",
  "Math.random": "Math.random()",
  "performance.now": "performance.now()",
  crypto: "random numbers of crypto",
};

/**
 * Runs `act` with one source replaced by another that depends on `variant`, and puts the real one back, whatever happens.
 *
 * @param act synchronous: nobody else runs meanwhile.
 */
export function withSource<T>(source: ForbiddenSource, variant: number, act: () => T): T {
  const [holder, fields] = replacement(source, variant);
  const before = Object.keys(fields).map((name): [string, PropertyDescriptor | undefined] => [
    name,
    Object.getOwnPropertyDescriptor(holder, name),
  ]);
  try {
    for (const [name, value] of Object.entries(fields)) {
      Object.defineProperty(holder, name, { value, configurable: true, writable: true });
    }
    return act();
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(holder, name);
      else Object.defineProperty(holder, name, descriptor);
    }
  }
}

function replacement(
  source: ForbiddenSource,
  variant: number,
): readonly [object, Readonly<Record<string, unknown>>] {
  switch (source) {
    case "Date":
      return [globalThis, { Date: dateAt(86_400_000_000 * (variant + 1)) }];
    case "Math.random": {
      let calls = 0;
      return [Math, { random: () => ((variant + 1) * 0.618 + calls++ * 0.381) % 1 }];
    }
    case "performance.now":
      return [performance, { now: () => 1000.5 * (variant + 1) }];
    case "crypto": {
      const getRandomValues = <V extends ArrayBufferView>(view: V): V => {
        new Uint8Array(view.buffer, view.byteOffset, view.byteLength).fill(variant + 1);
        return view;
      };
      const randomUUID = (): string => `0000000${variant}-0000-4000-8000-000000000000`;
      return [crypto, { getRandomValues, randomUUID }];
    }
    default:
      return source satisfies never;
  }
}

/** A `Date` for which it is always the same moment. */
function dateAt(ms: number): DateConstructor {
  const now = (): number => ms;
  return new Proxy(Date, {
    construct: (target, args: unknown[]) =>
      Reflect.construct(target, args.length === 0 ? [ms] : args) as object,
    apply: (target) => new target(ms).toString(),
    get: (target, key): unknown => (key === "now" ? now : Reflect.get(target, key)),
  });
}

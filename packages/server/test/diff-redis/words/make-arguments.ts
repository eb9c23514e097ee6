import type { Random } from "../random.ts";
import { absoluteTime, anyCase, key, keys, relativeTime } from "../values.ts";

/** Makes the arguments of one command, good ones more often than bad ones. */
export type MakeArguments = (random: Random) => string[];

/** The commands of a group, by name. */
export type Words = Readonly<Record<string, MakeArguments>>;

export const none: MakeArguments = () => [];
export const oneKey: MakeArguments = (random) => [key(random)];
export const someKeys: MakeArguments = (random) => keys(random, 4);

/** What `make` makes, or nothing. */
export function option(random: Random, probability: number, make: () => string[]): string[] {
  return random.chance(probability) ? make() : [];
}

/** One of the words, in any case of letters. */
export function oneWord(random: Random, ...words: readonly string[]): string {
  return anyCase(random, random.pick(words));
}

/** The groups in any order. */
export function shuffled(random: Random, groups: readonly string[][]): string[] {
  const rest = [...groups];
  const out: string[] = [];
  while (rest.length > 0) out.push(...(rest.splice(random.below(rest.length), 1)[0] ?? []));
  return out;
}

/** `EX 10` and the like. */
export function expiry(random: Random): string[] {
  const name = random.pick(["EX", "PX", "EXAT", "PXAT"]);
  const time = name.endsWith("AT") ? absoluteTime(random, name === "PXAT") : relativeTime(random);
  return [anyCase(random, name), time];
}

/** What `make` makes, so many times; seldom so many that Redis keeps the collection in another form. */
export function several(random: Random, make: (at: number) => string[]): string[] {
  const many = random.chance(0.03) ? 100 + random.below(500) : 1 + random.below(4);
  return Array.from({ length: many }, (_, at) => make(at)).flat();
}

/** Keys with their number before them, as `ZUNION` takes them; seldom a number that is none, or not theirs. */
export function numberedKeys(random: Random): string[] {
  const named = keys(random, 4);
  const count = random.chance(0.1)
    ? random.pick(["0", "-1", "1", "2", "5", "100", "9223372036854775807", "abc", "", "01"])
    : String(named.length);
  return [count, ...named];
}

import type { Random } from "./random.ts";

/**
 * What arguments are made of. Bytes are Latin-1 characters throughout: one character for each byte, so that commands can be printed and
 * compared as strings.
 */

/** Few, so that commands meet. */
export const ALL_KEYS: readonly string[] = [
  "a",
  "b",
  "c",
  "key:1",
  "key:2",
  "h{tag}llo",
  "",
  "\0\xff\r\n",
  "longer-key-name-0123456789",
];

const INTEGERS: readonly string[] = [
  "0",
  "1",
  "-1",
  "2",
  "10",
  "100",
  "-100",
  "12345",
  "2147483647",
  "2147483648",
  "-2147483649",
  "4294967296",
  "9007199254740991",
  "9007199254740993",
  "-9007199254740993",
  "9223372036854775806",
  "9223372036854775807",
  "-9223372036854775807",
  "-9223372036854775808",
];

const NOT_QUITE_INTEGERS: readonly string[] = [
  "",
  " ",
  "+1",
  " 1",
  "1 ",
  "01",
  "-0",
  "00",
  "1.0",
  "1e3",
  "0x10",
  "9223372036854775808",
  "-9223372036854775809",
  "99999999999999999999",
  "abc",
  "1\0",
  "--1",
  "-",
];

const FLOATS: readonly string[] = [
  "0.1",
  "-0.1",
  "1.5",
  "3.0e5",
  "5.0e3",
  "1e-5",
  "-1.25",
  "0.30000000000000004",
  "3.14159265358979323846",
  "123456789.123456789",
  "1e17",
  "1e18",
  "12345678901234567890",
  "1e100",
  ".5",
  "5.",
  "1e308",
  "1e4932",
];

const NOT_QUITE_FLOATS: readonly string[] = [
  "inf",
  "-inf",
  "+inf",
  "infinity",
  "nan",
  "1e5000",
  "1.2.3",
  "1,5",
  " 1.5",
  "1.5 ",
  "e5",
  "0x1p3",
  "",
];

const WORDS: readonly string[] = [
  "",
  "x",
  "hello",
  "Hello World",
  "\0",
  "\xff\xfe",
  "line\r\nbreak",
  "*1\r\n$4\r\nPING\r\n",
  '"quoted"',
];

export const key = (random: Random): string => random.pick(ALL_KEYS);

export const keys = (random: Random, most: number): string[] =>
  Array.from({ length: 1 + random.below(most) }, () => key(random));

/** An integer, most often; else what nearly is one. */
export function integer(random: Random): string {
  if (random.chance(0.12)) return random.pick(NOT_QUITE_INTEGERS);
  return random.chance(0.5) ? String(random.below(400) - 200) : random.pick(INTEGERS);
}

export function float(random: Random): string {
  const kind = random.next();
  if (kind < 0.1) return random.pick(NOT_QUITE_FLOATS);
  if (kind < 0.35) return integer(random);
  if (kind < 0.6) return random.pick(FLOATS);
  // Of the size that people use, with few digits.
  return String((random.below(20_001) - 10_000) / random.pick([1, 2, 4, 8, 10, 100, 1000]));
}

export function value(random: Random): string {
  const kind = random.next();
  if (kind < 0.3) return random.pick(INTEGERS);
  if (kind < 0.4) return random.pick(NOT_QUITE_INTEGERS);
  if (kind < 0.5) return float(random);
  if (kind < 0.52) return "long ".repeat(1 + random.below(2000));
  if (kind < 0.7) return String(random.below(1000));
  return random.pick(WORDS);
}

/** Keys that nobody sets. */
export const NO_KEYS: readonly string[] = ["nosuchkey", "nosuchkey2"];

/**
 * Keys of sorted sets in which all have one score. Where scores differ, the order of names means nothing, and what a range of them has is for Redis
 * a matter of chance: so only these are asked for one.
 */
export const ONE_SCORE_KEYS: readonly string[] = ["names:1", "names:2"];

export const oneScoreKey = (random: Random): string => random.pick(ONE_SCORE_KEYS);

/** Names within a collection: fields and members. Few, so that commands meet; integers and others, short and long. */
const NAMES: readonly string[] = [
  "f",
  "g",
  "h",
  "",
  "1",
  "2",
  "-7",
  "007",
  "9223372036854775807",
  "9223372036854775808",
  "\0\xff",
  "a b",
  "long".repeat(20),
];

export const field = (random: Random): string => random.pick(NAMES);

export const member = (random: Random): string =>
  random.chance(0.8) ? random.pick(NAMES) : String(random.below(20));

/** The one that comes at this place of several: of many, they are different ones. */
export const element = (random: Random, at: number): string =>
  at < 4 ? member(random) : random.chance(0.9) ? String(at) : `n${at}`;

const SCORES: readonly string[] = [
  "0",
  "-0",
  "0.0",
  "1",
  "1",
  "2",
  "-1",
  "1.5",
  "inf",
  "-inf",
  "+inf",
  "3e2",
  "1e-300",
];

/** A score or a weight: a float, and seldom what is none. */
export const score = (random: Random): string => (random.chance(0.6) ? random.pick(SCORES) : float(random));

/** Where a range of scores begins or ends. */
export function scoreBound(random: Random): string {
  if (random.chance(0.6)) return `${random.chance(0.35) ? "(" : ""}${score(random)}`;
  if (random.chance(0.7)) return random.pick(["-inf", "+inf", "inf", "(inf", "(-inf"]);
  return random.pick(["(", "((1", "", " 1", "( 1", "(nan", "0x10", "1(", "1\0"]);
}

/** Where a range of names begins or ends. */
export function nameBound(random: Random): string {
  if (random.chance(0.6)) return `${random.pick(["[", "[", "[", "(", "(", "(", ""])}${member(random)}`;
  return random.chance(0.8) ? random.pick(["-", "+"]) : random.pick(["--", "+x", "", "(", "["]);
}

/** How many: never so many below 0 that a reply would take minutes. */
export function count(random: Random): string {
  const kind = random.next();
  if (kind < 0.6) return String(random.below(8) - 2);
  if (kind < 0.7) return String(random.below(400) - 200);
  if (kind < 0.85) {
    return random.pick([
      "9223372036854775807",
      "9223372036854775808",
      "-9223372036854775808",
      "4611686018427387903",
      "4611686018427387904",
      "2147483648",
      "4294967296",
    ]);
  }
  return random.pick(NOT_QUITE_INTEGERS);
}

/** A place in a sequence, from either end. */
export const index = (random: Random): string =>
  random.chance(0.75) ? String(random.below(12) - 5) : integer(random);

/** An offset into a string. Far enough for zeros, and never so far that it takes memory: past Redis's limit, or near. */
export function offset(random: Random): string {
  const kind = random.next();
  if (kind < 0.7) return String(random.below(30) - 8);
  if (kind < 0.78) return String(random.below(5000));
  if (kind < 0.86) return random.pick(["536870912", "536870913", "1073741824", "9223372036854775807"]);
  return integer(random);
}

/** Seconds or milliseconds from now: far away, past, or out of range. Never soon: then the replies would tell the time. */
export function relativeTime(random: Random): string {
  const kind = random.next();
  // Hardly ever the same twice: which of two is later would then depend on when they were run.
  if (kind < 0.5) return String((1000 + random.below(1_000_000)) * 100_000);
  if (kind < 0.65) return random.pick(["-1", "-1000", "0"]);
  if (kind < 0.85) {
    return random.pick([
      "9223372036854775807",
      "-9223372036854775808",
      "9223372036854775",
      "9223372036854776",
      "9223370399119966",
      "-9223372036854775",
      "-9223372036854776",
      "-9999999999999999",
    ]);
  }
  return random.pick(NOT_QUITE_INTEGERS);
}

/** Unix time in seconds or milliseconds: years away on either side. */
export function absoluteTime(random: Random, milliseconds: boolean): string {
  const kind = random.next();
  if (kind < 0.55) {
    const seconds = random.pick(["4102444800", "4102444801", "32503680000"]);
    return milliseconds ? `${seconds}${random.pick(["000", "499", "500", "999"])}` : seconds;
  }
  if (kind < 0.7) return random.pick(["1", "1000", "1000000000", "0", "-1"]);
  return relativeTime(random);
}

/** In any case of letters: Redis does not care. */
export function anyCase(random: Random, word: string): string {
  const kind = random.next();
  if (kind < 0.6) return word;
  if (kind < 0.85) return word.toLowerCase();
  return Array.from(word, (letter) => (random.chance(0.5) ? letter.toLowerCase() : letter)).join("");
}

export const pattern = (random: Random): string =>
  random.pick([
    "*",
    "a",
    "?",
    "key:*",
    "*[12]",
    "h{*",
    "[^a]",
    "[a-c]",
    "\\*",
    "*\0*",
    "",
    "[",
    "[a-",
    "a*b*c",
    "key:?",
    "**",
    "h[{]tag}llo",
    "\\a",
    "[fgh]",
    "[^1-9]*",
    "[z-a]",
    "*\xff",
    "1*",
    "[\\]]*",
    "\\",
    "[!a]",
    "??*",
    "long*g",
  ]);

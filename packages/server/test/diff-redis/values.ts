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
  ]);

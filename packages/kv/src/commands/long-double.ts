import { NOT_A_FLOAT } from "../refusal.js";

/** Bits of the significand of an x87 extended-precision number. */
const PRECISION = 64;
/** The weights of the lowest bits of the largest and the smallest number. */
const MAX_EXPONENT = 16_383 - 63;
const MIN_EXPONENT = -16_445;
/** No number has more digits than this before or behind its point: more would only cost time. */
const MAX_DECIMAL_EXPONENT = 20_000;
/** Digits that Redis prints behind the point, less the zeros at the end. */
const PRINTED_DIGITS = 17n;

const DECIMAL = /^[+-]?(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d+))?$/;
const HEXADECIMAL = /^[+-]?0[xX](?:([\da-fA-F]+)(?:\.([\da-fA-F]*))?|\.([\da-fA-F]+))(?:[pP]([+-]?\d+))?$/;
const INFINITE = /^[+-]?inf(?:inity)?$/i;

/**
 * `long double` as on x86: what Redis counts floats in. A sign, 64 bits, and an exponent; every result rounded to the nearest, ties to even.
 * Counted in integers, because the numbers of JavaScript have 53 bits, and would come to other digits.
 */
export class LongDouble {
  static readonly ZERO: LongDouble = new LongDouble(0n, 0);
  static readonly #INFINITY = new LongDouble(1n, Infinity);

  /** The value is `#significand * 2^#exponent`; with its sign. Infinite where the exponent is. */
  readonly #significand: bigint;
  readonly #exponent: number;

  private constructor(significand: bigint, exponent: number) {
    this.#significand = significand;
    this.#exponent = exponent;
  }

  /** As `strtold` does, and with Redis's rules of what is left out: no blanks, all of it, no number too large or too small to be told. */
  static parse(bytes: Uint8Array): LongDouble {
    if (bytes.length === 0 || bytes.length > 5120) throw NOT_A_FLOAT;
    const text = String.fromCharCode(...bytes);
    const negative = text.startsWith("-");
    if (INFINITE.test(text)) return negative ? LongDouble.#INFINITY.negated() : LongDouble.#INFINITY;
    const decimal = DECIMAL.exec(text);
    const match = decimal ?? HEXADECIMAL.exec(text);
    if (match === null) throw NOT_A_FLOAT;
    const [, whole = "", fraction = "", onlyFraction = "", power = "0"] = match;
    const behind = fraction + onlyFraction;
    const digits = BigInt(`${decimal === null ? "0x" : ""}${whole}${behind}` || "0");
    if (digits === 0n) return LongDouble.ZERO;
    const shift = Number(power) - behind.length * (decimal === null ? 4 : 1);
    if (Math.abs(shift) > MAX_DECIMAL_EXPONENT) throw NOT_A_FLOAT;
    const up = decimal === null ? 2n ** BigInt(Math.max(shift, 0)) : 10n ** BigInt(Math.max(shift, 0));
    const down = decimal === null ? 2n ** BigInt(Math.max(-shift, 0)) : 10n ** BigInt(Math.max(-shift, 0));
    const rounded = LongDouble.#round(digits * up, down, 0);
    if (!rounded.isFinite || rounded.#significand === 0n) throw NOT_A_FLOAT;
    return negative ? rounded.negated() : rounded;
  }

  get isFinite(): boolean {
    return this.#exponent !== Infinity;
  }

  negated(): LongDouble {
    return new LongDouble(-this.#significand, this.#exponent);
  }

  /** The rounded sum. Infinite when it is too large, or either is infinite: Redis refuses both. */
  plus(other: LongDouble): LongDouble {
    if (!this.isFinite || !other.isFinite) return LongDouble.#INFINITY;
    const low = Math.min(this.#exponent, other.#exponent);
    const sum =
      (this.#significand << BigInt(this.#exponent - low)) +
      (other.#significand << BigInt(other.#exponent - low));
    const rounded = LongDouble.#round(sum < 0n ? -sum : sum, 1n, low);
    return sum < 0n ? rounded.negated() : rounded;
  }

  /** As `%.17Lf` does, less the zeros at the end. */
  format(): string {
    const negative = this.#significand < 0n;
    const significand = negative ? -this.#significand : this.#significand;
    const scale = 10n ** PRINTED_DIGITS;
    const scaled =
      this.#exponent >= 0
        ? (significand << BigInt(this.#exponent)) * scale
        : divideToNearest(significand * scale, 1n << BigInt(-this.#exponent));
    const digits = String(scaled).padStart(Number(PRINTED_DIGITS) + 1, "0");
    const point = digits.length - Number(PRINTED_DIGITS);
    const fraction = digits.slice(point).replace(/0+$/, "");
    const text = digits.slice(0, point) + (fraction === "" ? "" : `.${fraction}`);
    return negative && text !== "0" ? `-${text}` : text;
  }

  /** `numerator / denominator * 2^exponent`, of which none is below 0, as the nearest there is. */
  static #round(numerator: bigint, denominator: bigint, exponent: number): LongDouble {
    if (numerator === 0n) return LongDouble.ZERO;
    // So many bits that the quotient has 64 or 65; fewer where the number is so small that it has not as many.
    let shift = PRECISION - (bitLength(numerator) - bitLength(denominator));
    shift = Math.min(shift, exponent - MIN_EXPONENT);
    let quotient = divideShifted(numerator, denominator, shift);
    if (bitLength(quotient) > PRECISION) {
      shift -= 1;
      quotient = divideShifted(numerator, denominator, shift);
    }
    if (bitLength(quotient) > PRECISION) {
      quotient >>= 1n;
      shift -= 1;
    }
    const weight = exponent - shift;
    return weight > MAX_EXPONENT ? LongDouble.#INFINITY : new LongDouble(quotient, weight);
  }
}

function divideShifted(numerator: bigint, denominator: bigint, shift: number): bigint {
  return shift >= 0
    ? divideToNearest(numerator << BigInt(shift), denominator)
    : divideToNearest(numerator, denominator << BigInt(-shift));
}

/** Ties go to the even one. */
function divideToNearest(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = 2n * (numerator % denominator);
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}

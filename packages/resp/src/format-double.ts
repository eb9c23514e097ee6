const DIGITS = 17;
/** More than any number that lies halfway has. */
const EXACT_DIGITS = 100;

/**
 * A double as C's `%.17g` writes it, which is how Redis 7.0 sends doubles: `0.10000000000000001`, `1e+100`, `inf`.
 */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (value === Number.POSITIVE_INFINITY) return "inf";
  if (value === Number.NEGATIVE_INFINITY) return "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  const sign = value < 0 ? "-" : "";
  const [digits, exponent] = significantDigits(Math.abs(value));
  const kept = digits.replace(/0+$/, "");
  if (exponent < -4 || exponent >= DIGITS) {
    const fraction = kept.length > 1 ? `.${kept.slice(1)}` : "";
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${kept[0]}${fraction}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${kept}`;
  const whole = kept.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  const fraction = kept.slice(exponent + 1);
  return fraction === "" ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** 17 digits and the power of ten of the first. */
function significantDigits(value: number): [digits: string, exponent: number] {
  const [mantissa = "", exponent = ""] = value.toExponential(DIGITS - 1).split("e");
  const digits = mantissa.replace(".", "");
  // Halfway between two, JavaScript takes the larger and C the even one. Such a number has exactly 18 digits.
  if (Number(digits.at(-1)) % 2 === 1) {
    const [exact = ""] = value.toExponential(EXACT_DIGITS).split("e");
    if (/^50*$/.test(exact.slice(DIGITS + 1)))
      return [exact.slice(0, DIGITS + 1).replace(".", ""), Number(exponent)];
  }
  return [digits, Number(exponent)];
}

import type { RunBounds } from "./options.js";
import type { SeedViolation } from "./run-seed.js";
import type { SimIo } from "./sim-io.js";

const RED = "\u001b[31m";
const PLAIN = "\u001b[0m";

/** The command that takes the same steps again. */
export function replayCommand(seed: number, { size, maxSteps }: RunBounds): string {
  const bounds = [size === null ? "" : ` --size ${size}`, maxSteps === null ? "" : ` --steps ${maxSteps}`];
  return `pnpm sim --seed ${seed}${bounds.join("")} --trace`;
}

/** What did not hold, in which run, and how to see it again. */
export function failureText(
  seed: number,
  { property, message }: SeedViolation,
  options: RunBounds,
  colour: boolean,
): string {
  const title = `seed ${seed} FAILS: ${property}`;
  return `\n${colour ? `${RED}${title}${PLAIN}` : title}\n${message}\nRun it again: ${replayCommand(seed, options)}\n`;
}

/** Writes the picture of an illegal history where it was asked for. @returns what to say about it. */
export async function savePicture(
  seed: number,
  picture: string | null,
  out: string | null,
  io: SimIo,
): Promise<string> {
  if (picture === null) return "";
  if (out === null) return "A picture of the illegal part: add --out DIR\n";
  const name = `seed-${seed}.svg`;
  await io.writeFile(out, name, picture);
  return `A picture of the illegal part: ${out}/${name}\n`;
}

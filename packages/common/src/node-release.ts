/** The oldest release of Node that runs Seshat. It stands in every `package.json` too, where npm only warns of it. */
const OLDEST = [22, 18] as const;

/** What a program ends with that is run by an older one. */
export const OLD_NODE_EXIT = 69;

/**
 * For the first line of a program, before it loads anything else: an older Node fails somewhere in the middle of that.
 *
 * @param version of the Node that runs, e.g. `process.versions.node`.
 * @returns what to tell, in one line; null when it is new enough.
 */
export function oldNode(program: string, version: string): string | null {
  const [major, minor] = version.split(".").map(Number) as [number, number];
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return null;
  return `${program} needs Node ${OLDEST.join(".")} or later, and this is Node ${version}`;
}

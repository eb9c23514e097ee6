/** Throws when a promise is broken. */
export function must(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

/** Throws an error that starts with the name of the rule, unless the condition holds. */
export function holds(rule: string, condition: boolean, detail: () => string): void {
  if (!condition) throw new Error(`${rule}: ${detail()}`);
}

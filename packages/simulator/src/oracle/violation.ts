/** A property of Raft, or of what was promised to clients, that did not hold. */
export class Violation extends Error {
  /** Which one, e.g. `"B1 election safety"`. */
  readonly property: string;
  /** What was found. */
  readonly detail: string;

  constructor(property: string, detail: string) {
    super(`${property}: ${detail}`);
    this.name = "Violation";
    this.property = property;
    this.detail = detail;
  }
}

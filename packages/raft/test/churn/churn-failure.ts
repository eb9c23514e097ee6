/** A promise was broken, or a run stands still. */
export class ChurnFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ChurnFailure";
  }
}

/** Throws unless the condition holds. */
export function must(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new ChurnFailure(message());
}

/** A scenario did not go as it has to. */
export class ChaosFailure extends Error {
  override readonly name = "ChaosFailure";
  /** What did not hold, in a word or two. */
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(message);
    this.rule = rule;
  }
}

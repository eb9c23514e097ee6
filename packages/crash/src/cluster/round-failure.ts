/** A round did not go as it has to. */
export class RoundFailure extends Error {
  override readonly name = "RoundFailure";
  /** What did not hold, in a word or two. */
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(message);
    this.rule = rule;
  }
}

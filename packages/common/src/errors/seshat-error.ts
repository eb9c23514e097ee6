/**
 * The base of every error that Seshat throws on purpose. `code` is stable and meant for programs;
 * the message says what was wrong, where, and what to do. What the message tells is in fields too.
 */
export abstract class SeshatError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

import { SeshatError } from "@seshat/common";

/** A line that is no command: it cannot be split into arguments, or names no command, or has too many or too few arguments. */
export class BadLineError extends SeshatError {
  override readonly code = "badLine";
}

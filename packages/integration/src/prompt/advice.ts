import {
  InvalidChangeError,
  NotLeaderError,
  QuorumNotEnoughError,
  TimeoutError,
  TransferFailedError,
} from "@seshat/common";

/** What a user can do about an error, where its message does not say it; otherwise an empty text. */
export function adviceFor(error: Error): string {
  if (error instanceof TransferFailedError) {
    return error.reason === "notAVoter"
      ? `; ADD ${error.target} makes it one`
      : "; STATUS shows who leads, and whether that node is linked and in step: then try again";
  }
  if (error instanceof InvalidChangeError) return "; STATUS shows who is a member, and who is down";
  if (
    error instanceof NotLeaderError ||
    error instanceof QuorumNotEnoughError ||
    (error instanceof TimeoutError && error.waitingFor === "the election of a leader")
  ) {
    return "; STATUS shows who is down or cut off: a majority of the voters must run and be linked (RESTART, HEAL)";
  }
  return "";
}

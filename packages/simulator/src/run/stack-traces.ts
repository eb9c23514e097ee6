/** Runs that do without, at once: their promises may interleave. */
let without = 0;
let limit: number | undefined;

/**
 * From now on errors are made without their stack traces. Nodes answer by errors all the time, as when a client asks one that does not lead, and
 * a trace takes longer than all else about an answer.
 *
 * @returns undoes it; to be called once.
 */
export function leaveOutStackTraces(): () => void {
  without += 1;
  if (without === 1) {
    limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
  }
  return () => {
    without -= 1;
    if (without === 0 && limit !== undefined) Error.stackTraceLimit = limit;
  };
}

import { InvalidValueError } from "@seshat/common";

/** What a command counts when nothing is known of it. */
const UNKNOWN_BYTES = 64;

/** The bytes of a command as far as they can be seen: of a byte string, or of one under `data`; otherwise a guess. */
export function visibleSizeOf(command: unknown): number {
  if (command instanceof Uint8Array) return command.length;
  if (
    typeof command === "object" &&
    command !== null &&
    "data" in command &&
    command.data instanceof Uint8Array
  ) {
    return command.data.length;
  }
  return typeof command === "string" ? command.length : UNKNOWN_BYTES;
}

function isSize(bytes: unknown): bytes is number {
  return typeof bytes === "number" && bytes >= 0 && bytes < Number.POSITIVE_INFINITY;
}

/** `sizeOf` for what clients bring: an answer that is no size would spoil the count of what waits for good, so it is refused. */
export function strictSizeOf<D>(sizeOf: (data: D) => number): (data: D) => number {
  return (data) => {
    const bytes = sizeOf(data);
    if (!isSize(bytes)) throw new InvalidValueError("sizeOf(data)", bytes, "a number of bytes of at least 0");
    return bytes;
  };
}

/** `sizeOf` for what is in the log, which has to be sent whatever the application says of it: a guess where it says no size. */
export function lenientSizeOf<D>(sizeOf: (data: D) => number): (data: D) => number {
  return (data) => {
    try {
      const bytes = sizeOf(data);
      return isSize(bytes) ? bytes : UNKNOWN_BYTES;
    } catch {
      return UNKNOWN_BYTES;
    }
  };
}

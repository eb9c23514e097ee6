import { UnusableStoreError, messageOf } from "../errors.js";
import type { RocksConstructor } from "./rocksdb.js";

/** @throws {UnusableStoreError} when there is no build for this machine, or a library that it needs is missing. */
export async function loadRocksdb(): Promise<RocksConstructor> {
  try {
    // @ts-expect-error It has no types; see rocksdb.ts.
    const addon = (await import("rocksdb-native")) as { readonly default: RocksConstructor };
    return addon.default;
  } catch (cause) {
    const problem = messageOf(cause);
    const advice = problem.includes("libatomic")
      ? "; install it: on Debian and Ubuntu `apt-get install libatomic1`, on Fedora `dnf install libatomic`"
      : "";
    throw new UnusableStoreError(
      "addon",
      "rocksdb-native",
      `the addon cannot be loaded on ${process.platform}-${process.arch}: ${problem}${advice}`,
      { cause },
    );
  }
}

import { InvalidValueError, checkInteger } from "@seshat/common";

/** Redis's own limit for strings, keys included: 512 MiB. */
export const REDIS_MAX_BYTES = 536_870_912;

/**
 * What commands are measured by. Part of the replicated state, because nodes with different limits would come to different states: an
 * entry changes it, on all of them at the same place in the log.
 */
export interface KvConfig {
  /** The longest key, in bytes. */
  readonly maxKeyBytes: number;
  /** The longest string, and the longest element of anything else, in bytes. */
  readonly maxValueBytes: number;
  /** How much data there may be before commands that add to it are refused, in bytes by the own account of the state machine; 0 for no limit. */
  readonly maxMemoryBytes: number;
}

/** Keys of 256 bytes, values of 64 KiB, no limit to all of them. */
export const DEFAULT_KV_CONFIG: KvConfig = Object.freeze({
  maxKeyBytes: 256,
  maxValueBytes: 65_536,
  maxMemoryBytes: 0,
});

interface ConfigField {
  readonly name: keyof KvConfig;
  readonly min: number;
  readonly max: number;
}

/** The fields by their numbers in entries and snapshots, which never change. */
export const CONFIG_FIELDS: readonly ConfigField[] = [
  { name: "maxKeyBytes", min: 1, max: REDIS_MAX_BYTES },
  { name: "maxValueBytes", min: 1, max: REDIS_MAX_BYTES },
  { name: "maxMemoryBytes", min: 0, max: Number.MAX_SAFE_INTEGER },
];

/**
 * Checks a change of the configuration before it is proposed.
 *
 * @throws {InvalidValueError} that names the field.
 */
export function checkKvConfig(changes: Partial<KvConfig>): void {
  for (const name of Object.keys(changes)) {
    const field = CONFIG_FIELDS.find((one) => one.name === name);
    if (field === undefined) {
      throw new InvalidValueError(
        "config",
        name,
        `one of ${CONFIG_FIELDS.map((one) => one.name).join(", ")}`,
      );
    }
    const value = checkInteger(`config.${name}`, changes[field.name], field.min);
    if (value > field.max) {
      throw new InvalidValueError(`config.${name}`, value, `an integer from ${field.min} to ${field.max}`);
    }
  }
}

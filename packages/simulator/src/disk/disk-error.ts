import { SeshatError } from "@seshat/common";
import type { DiskVerb } from "./disk.js";

/** EIO: the device failed. ENOSPC: it is full. ENOENT: no such file. EINVAL: an offset or a length outside of the file. */
export type DiskErrorCode = "EIO" | "ENOSPC" | "ENOENT" | "EINVAL";

/** The disk did not do what it was asked to do. */
export class DiskError extends SeshatError {
  override readonly code: DiskErrorCode;
  readonly verb: DiskVerb;
  /** Empty for what concerns no single file. */
  readonly file: string;

  constructor(verb: DiskVerb, file: string, code: DiskErrorCode, problem?: string) {
    const what = file === "" ? verb : `${verb} ${file}`;
    super(`the disk failed to ${what}: ${code}${problem === undefined ? "" : `, ${problem}`}`);
    this.verb = verb;
    this.file = file;
    this.code = code;
  }
}

import { LENGTH_DELIMITED, varintLength, writeVarint } from "./varint.js";

/*
 * What the writers of messages need of protobuf. Fields have numbers up to 15, so that a tag is one byte; integers are from 0 to 2^53 - 1.
 */

/** How protobuf writes that an integer follows. */
const VARINT = 0;

/** Writes a field. As everywhere in protobuf a zero is left out. @returns where the next goes. */
export function writeInteger(bytes: Uint8Array, at: number, field: number, value: number): number {
  return value === 0 ? at : writePresent(bytes, at, field, value);
}

/** Writes a field of which it matters that it is there. */
export function writePresent(bytes: Uint8Array, at: number, field: number, value: number): number {
  bytes[at] = (field << 3) | VARINT;
  return writeVarint(bytes, at + 1, value);
}

/** Begins a field whose value has a length. @returns where the value begins. */
export function writeLength(bytes: Uint8Array, at: number, field: number, length: number): number {
  bytes[at] = (field << 3) | LENGTH_DELIMITED;
  return writeVarint(bytes, at + 1, length);
}

/** How many bytes a field takes that {@link writeLength} begins, its value included. */
export function lengthOf(length: number): number {
  return 1 + varintLength(length) + length;
}

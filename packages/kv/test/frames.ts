import { crc32 } from "node:zlib";

/** Frames of a snapshot with the right lengths and checksums. */
export function frames(payloads: readonly (readonly number[])[]): Uint8Array {
  let crc = 0;
  const parts = payloads.map((payload) => {
    const bytes = Buffer.from(payload);
    crc = crc32(bytes, crc);
    const frame = Buffer.alloc(bytes.length + 8);
    frame.writeUInt32BE(bytes.length, 0);
    bytes.copy(frame, 4);
    frame.writeUInt32BE(crc, bytes.length + 4);
    return frame;
  });
  return new Uint8Array(Buffer.concat(parts));
}

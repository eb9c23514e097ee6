/** Text as bytes, one byte a character: the tests write any byte as `\xHH`. */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

/** Bytes as text, one character a byte, so that a failure can be read. */
export function text(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("latin1");
}

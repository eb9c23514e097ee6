/** Smaller messages are left to the collector, which hardly notices them. */
const RELEASE_BYTES = 16_384;

/** What gRPC puts before a message: whether it is compressed, and its length. */
const FRAME_HEAD_BYTES = 5;

/**
 * Frees the memory of a message that nobody needs any more, where nothing else is in it but the head of its frame. V8 counts it as memory outside of its heap, and
 * collects all of a heap, however large, for each 64 MiB of it; or, where the heap hardly grows, lets tens of MiB stand until it does.
 */
export function release({ buffer, byteLength, byteOffset }: Uint8Array): void {
  const isAlone =
    buffer.byteLength === byteLength ||
    (byteOffset === FRAME_HEAD_BYTES && buffer.byteLength === byteLength + FRAME_HEAD_BYTES);
  if (byteLength >= RELEASE_BYTES && isAlone && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

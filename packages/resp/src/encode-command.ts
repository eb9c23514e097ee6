import { RespWriter } from "./reply-writer.js";

const encoder = new TextEncoder();

/** A command as clients send it: an array of bulk strings. Strings become UTF-8, numbers decimal. */
export function encodeCommand(args: readonly (string | number | bigint | Uint8Array)[]): Uint8Array {
  const writer = new RespWriter();
  writer.write(
    args.map((arg) => (arg instanceof Uint8Array ? arg : encoder.encode(String(arg)))),
    2,
  );
  const bytes = new Uint8Array(writer.length);
  let at = 0;
  for (const part of writer.take()) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { SeshatError } from "@seshat/common";
import { decodeError, encodeError } from "@seshat/common";
import type { Error as WireError } from "../generated/seshat/raft/v1/raft_pb.js";
import { ErrorSchema } from "../generated/seshat/raft/v1/raft_pb.js";

/** Turns whatever was thrown into what can be sent. */
export function errorToWire(thrown: unknown): MessageInitShape<typeof ErrorSchema> {
  const { code, message, fields, cause } = encodeError(thrown);
  const wire = {
    code: code.toWellFormed(),
    message: message.toWellFormed(),
    fields: wellFormed(fields) as JsonObject,
  };
  return cause === null ? wire : { ...wire, cause: cause.toWellFormed() };
}

/** Turns what came back into an error of its class, or into a `RemoteError`. */
export function errorFromWire({ code, message, fields, cause }: WireError): SeshatError {
  return decodeError({ code, message, fields: fields ?? {}, cause: cause ?? null });
}

/** An error as the trailer of a stream. */
export function errorToBytes(thrown: unknown): Uint8Array {
  return toBinary(ErrorSchema, create(ErrorSchema, errorToWire(thrown)));
}

/** @throws when the bytes are no error. */
export function errorFromBytes(bytes: Uint8Array): SeshatError {
  return errorFromWire(fromBinary(ErrorSchema, bytes));
}

/** UTF-8 has no halves of characters. */
function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, wellFormed(item)]));
}

import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { RequestHeader, ResponseHeader } from "@seshat/common";
import { InvalidValueError } from "@seshat/common";
import type { Request, RequestHeaderSchema, Response } from "../generated/seshat/raft/v1/raft_pb.js";
import {
  AppendEntriesRequestSchema,
  InstallSnapshotRequestSchema,
  RequestSchema,
  ResponseSchema,
} from "../generated/seshat/raft/v1/raft_pb.js";
import {
  equalRequestHeaders,
  equalResponseHeaders,
  requestHeaderFromWire,
  requestHeaderToWire,
  responseHeaderFromWire,
  responseHeaderToWire,
} from "./fields.js";
import type { RequestBody, ResponseBody } from "./methods.js";
import { LENGTH_DELIMITED, varintLength, writeVarint } from "./varint.js";

/*
 * Headers hardly ever change, so a stream says them only when they do. Each end remembers the last one, which is why messages
 * are written in the order in which they are made.
 */

/** Writes the requests of one stream. */
export class RequestWriter {
  #last: RequestHeader | null = null;

  /** @param check throws when a request of this length is not to be sent: then it counts as not written. */
  write(id: number, header: RequestHeader, body: RequestBody, check: (length: number) => void): Uint8Array {
    const isKnown = this.#last !== null && equalRequestHeaders(this.#last, header);
    const about: About = isKnown ? { id } : { id, header: requestHeaderToWire(header) };
    const bytes = toBytes(about, body);
    check(bytes.length);
    this.#last = header;
    return bytes;
  }
}

/**
 * Entries and parts of snapshots are nearly all that is sent, and what writes a message copies them more than once. So they are put where they belong by
 * hand: in protobuf a field that holds a message, and one that holds bytes, are a tag, a length, and what is in it; and fields may stand in any order.
 */
function toBytes(about: About, body: RequestBody): Uint8Array {
  const bulk = bulkOf(body);
  if (bulk === null) return toBinary(RequestSchema, create(RequestSchema, { ...about, body }));
  const { bytes: content, rest, field, within } = bulk;
  const head = toBinary(RequestSchema, create(RequestSchema, about));
  const restLength = rest.length + 1 + varintLength(content.length) + content.length;
  const bytes = new Uint8Array(head.length + 1 + varintLength(restLength) + restLength);
  bytes.set(head);
  let at = writeLength(bytes, head.length, within, restLength);
  bytes.set(rest, at);
  at = writeLength(bytes, at + rest.length, field, content.length);
  bytes.set(content, at);
  return bytes;
}

/** The bytes that a request carries, and where they belong. */
interface Bulk {
  readonly bytes: Uint8Array;
  /** The rest of the message that they are a field of. */
  readonly rest: Uint8Array;
  /** The number of that field, and of the field of the request that the message is. */
  readonly field: number;
  readonly within: number;
}

/** @returns null where there is nothing that is worth it. */
function bulkOf({ case: method, value }: RequestBody): Bulk | null {
  if (method === "appendEntries" && value.entries !== undefined && value.entries.length > 0) {
    const rest = create(AppendEntriesRequestSchema, { ...value, entries: NO_BYTES });
    return {
      bytes: value.entries,
      rest: toBinary(AppendEntriesRequestSchema, rest),
      field: AppendEntriesRequestSchema.field.entries.number,
      within: RequestSchema.field.appendEntries.number,
    };
  }
  if (method === "installSnapshot" && value.data !== undefined && value.data.length > 0) {
    const rest = create(InstallSnapshotRequestSchema, { ...value, data: NO_BYTES });
    return {
      bytes: value.data,
      rest: toBinary(InstallSnapshotRequestSchema, rest),
      field: InstallSnapshotRequestSchema.field.data.number,
      within: RequestSchema.field.installSnapshot.number,
    };
  }
  return null;
}

interface About {
  readonly id: number;
  readonly header?: MessageInitShape<typeof RequestHeaderSchema>;
}

const NO_BYTES = new Uint8Array(0);

/** Begins a field whose value has a length. @returns where the value begins. */
function writeLength(bytes: Uint8Array, at: number, field: number, length: number): number {
  bytes[at] = (field << 3) | LENGTH_DELIMITED;
  return writeVarint(bytes, at + 1, length);
}

/** A request as it came, with who it is from. */
export interface ReadRequest {
  readonly id: number;
  readonly header: RequestHeader;
  readonly body: Request["body"];
}

/** Reads the requests of one stream. */
export class RequestReader {
  #last: RequestHeader | null = null;

  /** @throws when the bytes are no request, or nobody has said yet who asks. */
  read(bytes: Uint8Array): ReadRequest {
    const { id, header: wire, body } = fromBinary(RequestSchema, bytes);
    const header = wire === undefined ? this.#last : requestHeaderFromWire(wire);
    if (header === null) throw new InvalidValueError("request.header", null, "a header in the first request");
    this.#last = header;
    return { id, header, body };
  }
}

/** Writes the answers of one stream. */
export class ResponseWriter {
  #last: ResponseHeader | null = null;

  /** @param header null with an error. */
  write(id: number, header: ResponseHeader | null, body: ResponseBody): Uint8Array {
    const isKnown = header === null || (this.#last !== null && equalResponseHeaders(this.#last, header));
    const response = create(
      ResponseSchema,
      isKnown ? { id, body } : { id, header: responseHeaderToWire(header), body },
    );
    const bytes = toBinary(ResponseSchema, response);
    if (header !== null) this.#last = header;
    return bytes;
  }
}

/** An answer as it came. */
export interface ReadResponse {
  readonly id: number;
  /** Null while nobody has said who answers. */
  readonly header: ResponseHeader | null;
  readonly body: Response["body"];
}

/** Reads the answers of one stream. */
export class ResponseReader {
  #last: ResponseHeader | null = null;

  /** @throws when the bytes are no answer. */
  read(bytes: Uint8Array): ReadResponse {
    const { id, header: wire, body } = fromBinary(ResponseSchema, bytes);
    if (wire !== undefined) this.#last = responseHeaderFromWire(wire);
    return { id, header: this.#last, body };
  }
}

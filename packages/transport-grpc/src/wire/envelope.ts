import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { RequestHeader, ResponseHeader } from "@seshat/common";
import { InvalidValueError } from "@seshat/common";
import type { Request, RequestHeaderSchema, Response } from "../generated/seshat/raft/v1/raft_pb.js";
import {
  InstallSnapshotRequestSchema,
  RequestSchema,
  ResponseSchema,
} from "../generated/seshat/raft/v1/raft_pb.js";
import { writeAppendRequest, writeAppendSuccess } from "./append-entries.js";
import {
  equalRequestHeaders,
  equalResponseHeaders,
  requestHeaderFromWire,
  requestHeaderToWire,
  responseHeaderFromWire,
  responseHeaderToWire,
} from "./fields.js";
import type { RequestBody, ResponseBody } from "./methods.js";
import { lengthOf, writeLength } from "./integers.js";

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
 * What writes a message copies what it holds more than once. So parts of snapshots, like entries, are put where they belong by hand: in protobuf a field that
 * holds a message, and one that holds bytes, are a tag, a length, and what is in it; and fields may stand in any order.
 */
function toBytes(about: About, body: RequestBody): Uint8Array {
  if (body.case === "appendEntries") {
    const { id, header } = about;
    const said = header === undefined ? null : toBinary(RequestSchema, create(RequestSchema, about));
    return writeAppendRequest(id, said, body.value);
  }
  if (body.case !== "installSnapshot" || body.value.data === undefined || body.value.data.length === 0)
    return toBinary(RequestSchema, create(RequestSchema, { ...about, body }));
  const { data } = body.value;
  const head = toBinary(RequestSchema, create(RequestSchema, about));
  const rest = toBinary(
    InstallSnapshotRequestSchema,
    create(InstallSnapshotRequestSchema, { ...body.value, data: NO_BYTES }),
  );
  const length = rest.length + lengthOf(data.length);
  const bytes = new Uint8Array(head.length + lengthOf(length));
  bytes.set(head);
  let at = writeLength(bytes, head.length, RequestSchema.field.installSnapshot.number, length);
  bytes.set(rest, at);
  at = writeLength(bytes, at + rest.length, InstallSnapshotRequestSchema.field.data.number, data.length);
  bytes.set(data, at);
  return bytes;
}

interface About {
  readonly id: number;
  readonly header?: MessageInitShape<typeof RequestHeaderSchema>;
}

const NO_BYTES = new Uint8Array(0);

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
    if (isKnown && body.case === "appendEntries" && body.value.outcome?.case === "matchIndex")
      return writeAppendSuccess(id, Number(body.value.term ?? 0), Number(body.value.outcome.value));
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

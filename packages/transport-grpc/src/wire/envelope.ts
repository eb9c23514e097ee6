import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { RequestHeader, ResponseHeader } from "@seshat/common";
import { InvalidValueError } from "@seshat/common";
import type { Request, Response } from "../generated/seshat/raft/v1/raft_pb.js";
import { RequestSchema, ResponseSchema } from "../generated/seshat/raft/v1/raft_pb.js";
import {
  equalRequestHeaders,
  equalResponseHeaders,
  requestHeaderFromWire,
  requestHeaderToWire,
  responseHeaderFromWire,
  responseHeaderToWire,
} from "./fields.js";
import type { RequestBody, ResponseBody } from "./methods.js";

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
    const request = create(
      RequestSchema,
      isKnown ? { id, body } : { id, header: requestHeaderToWire(header), body },
    );
    const bytes = toBinary(RequestSchema, request);
    check(bytes.length);
    this.#last = header;
    return bytes;
  }
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

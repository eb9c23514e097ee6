import type { MessageInitShape } from "@bufbuild/protobuf";
import type { LogId, RequestHeader, ResponseHeader } from "@seshat/common";
import { InvalidValueError } from "@seshat/common";
import type {
  LogIdSchema,
  RequestHeader as WireRequestHeader,
  RequestHeaderSchema,
  ResponseHeader as WireResponseHeader,
  ResponseHeaderSchema,
  LogId as WireLogId,
} from "../generated/seshat/raft/v1/raft_pb.js";
import { toNumber } from "./numbers.js";

export function logIdToWire({ term, index }: LogId): MessageInitShape<typeof LogIdSchema> {
  return { term: BigInt(term), index: BigInt(index) };
}

/** @throws {InvalidValueError} that names `field`. */
export function logIdFromWire(field: string, wire: WireLogId | undefined): LogId {
  if (wire === undefined) throw new InvalidValueError(field, wire, "a log id");
  return { term: toNumber(`${field}.term`, wire.term), index: toNumber(`${field}.index`, wire.index) };
}

export function requestHeaderToWire(header: RequestHeader): MessageInitShape<typeof RequestHeaderSchema> {
  return {
    clusterId: header.clusterId,
    from: BigInt(header.from),
    incarnation: BigInt(header.incarnation),
    to: BigInt(header.to),
    toIncarnation: BigInt(header.toIncarnation),
  };
}

/** @throws {InvalidValueError} when a number is too large. */
export function requestHeaderFromWire(wire: WireRequestHeader): RequestHeader {
  return {
    clusterId: wire.clusterId,
    from: toNumber("header.from", wire.from),
    incarnation: toNumber("header.incarnation", wire.incarnation),
    to: toNumber("header.to", wire.to),
    toIncarnation: toNumber("header.toIncarnation", wire.toIncarnation),
  };
}

export function responseHeaderToWire(header: ResponseHeader): MessageInitShape<typeof ResponseHeaderSchema> {
  return { from: BigInt(header.from), incarnation: BigInt(header.incarnation) };
}

/** @throws {InvalidValueError} when a number is too large. */
export function responseHeaderFromWire(wire: WireResponseHeader): ResponseHeader {
  return {
    from: toNumber("header.from", wire.from),
    incarnation: toNumber("header.incarnation", wire.incarnation),
  };
}

export function equalRequestHeaders(a: RequestHeader, b: RequestHeader): boolean {
  return (
    a === b ||
    (a.clusterId === b.clusterId &&
      a.from === b.from &&
      a.incarnation === b.incarnation &&
      a.to === b.to &&
      a.toIncarnation === b.toIncarnation)
  );
}

export function equalResponseHeaders(a: ResponseHeader, b: ResponseHeader): boolean {
  return a === b || (a.from === b.from && a.incarnation === b.incarnation);
}

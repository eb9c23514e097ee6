import type { ServerDuplexStream } from "@grpc/grpc-js";
import type { NodeId } from "@seshat/common";
import { InvalidValueError } from "@seshat/common";
import { META } from "../service.js";

/** Who opens a stream and whom they mean, as they say. */
export interface Introduced {
  readonly clusterId: string;
  readonly from: NodeId;
  readonly to: NodeId;
}

/** @throws {InvalidValueError} that names what is missing or wrong. */
export function readIntroduction(call: ServerDuplexStream<Buffer, Buffer>): Introduced {
  const text = (name: string): string => {
    const [value] = call.metadata.get(name);
    if (typeof value !== "string") throw new InvalidValueError(name, value, "given at the start of a stream");
    return value;
  };
  const nodeId = (name: string): NodeId => {
    const id = Number(text(name));
    if (!Number.isSafeInteger(id) || id < 0) throw new InvalidValueError(name, id, "a node id");
    return id;
  };
  const encoded = text(META.cluster);
  let clusterId: string;
  try {
    clusterId = decodeURIComponent(encoded);
  } catch {
    throw new InvalidValueError(META.cluster, encoded, "a percent-encoded text");
  }
  return { clusterId, from: nodeId(META.from), to: nodeId(META.to) };
}

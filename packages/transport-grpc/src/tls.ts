import type { DetailedPeerCertificate, PeerCertificate } from "node:tls";
import { createSecureContext } from "node:tls";
import { ChannelCredentials, ServerCredentials } from "@grpc/grpc-js";
import type { NodeId } from "@seshat/common";
import { ForeignNodeError, InvalidValueError, checkNodeId } from "@seshat/common";

/** Whom a certificate was issued to. */
export interface PeerIdentity {
  readonly nodeId: NodeId;
  /** The only cluster that the certificate is for; null for any. */
  readonly clusterId: string | null;
}

/** Keys and certificates of one node. PEM, as bytes or text. */
export interface TlsOptions {
  /** Who signs the certificates of the cluster. Nobody else is believed, and no public authority is. */
  readonly ca: Uint8Array | string;
  /** The certificate of this node, and what stands between it and `ca`. */
  readonly cert: Uint8Array | string;
  readonly key: Uint8Array | string;
  /** Whether those that connect must show a certificate, and may speak for the node in it alone. Default true. */
  readonly mutual?: boolean;
  /**
   * Says which node a certificate, which `ca` has signed, belongs to; null for none. Default: the one name of the form
   * `URI:seshat://<cluster>/node/<id>` among its alternative names; see `nodeUri`.
   */
  readonly identityOf?: (certificate: PeerCertificate) => PeerIdentity | null;
}

/** The name that the certificate of a node bears: `seshat://<cluster>/node/<id>`. */
export function nodeUri(clusterId: string, nodeId: NodeId): string {
  return `seshat://${encodeURIComponent(clusterId)}/node/${checkNodeId("nodeId", nodeId)}`;
}

const NODE_URI = /^URI:seshat:\/\/([\w.!~*'()%-]+)\/node\/([1-9]\d{0,15})$/;

/** The default of `TlsOptions.identityOf`. A certificate with several such names is nobody's. */
function identityOfSan(certificate: PeerCertificate): PeerIdentity | null {
  // Node puts names that contain separators in quotation marks, so that none can pass for two.
  const names = (certificate.subjectaltname ?? "")
    .split(", ")
    .filter((name) => name.startsWith("URI:seshat:"));
  const [, cluster, id] = (names.length === 1 ? NODE_URI.exec(names[0] ?? "") : null) ?? [];
  const nodeId = Number(id);
  if (cluster === undefined || !Number.isSafeInteger(nodeId)) return null;
  try {
    return { nodeId, clusterId: decodeURIComponent(cluster) };
  } catch {
    return null;
  }
}

/** Says why a certificate does not belong to `nodeId` of `clusterId`, or null when it does. */
export function mismatch(
  { identityOf = identityOfSan }: TlsOptions,
  certificate: PeerCertificate | undefined,
  nodeId: NodeId,
  clusterId: string,
): ForeignNodeError | null {
  let identity: PeerIdentity | null;
  try {
    identity = certificate === undefined ? null : identityOf(certificate);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return new ForeignNodeError(`its certificate cannot be read: ${why}`);
  }
  if (identity === null) return new ForeignNodeError("its certificate names no node");
  if (identity.nodeId !== nodeId) {
    return new ForeignNodeError(`its certificate is that of node ${identity.nodeId}, not of node ${nodeId}`);
  }
  if (identity.clusterId !== null && identity.clusterId !== clusterId) {
    return new ForeignNodeError(
      `its certificate is for cluster ${JSON.stringify(identity.clusterId)}, not for ${JSON.stringify(clusterId)}`,
    );
  }
  return null;
}

/** How to connect to a node that must prove to be `nodeId` of `clusterId`. `failed` is told when it is somebody else. */
export function clientCredentials(
  tls: TlsOptions | undefined,
  nodeId: NodeId,
  clusterId: string,
  failed: (error: ForeignNodeError) => void,
): ChannelCredentials {
  if (tls === undefined) return ChannelCredentials.createInsecure();
  return ChannelCredentials.createSsl(toBuffer(tls.ca), toBuffer(tls.key), toBuffer(tls.cert), {
    // Addresses change and names prove nothing about a node: its id does.
    checkServerIdentity: (_host: string, certificate: DetailedPeerCertificate | PeerCertificate) => {
      const error = mismatch(tls, certificate, nodeId, clusterId);
      if (error !== null) failed(error);
      return error ?? undefined;
    },
  });
}

export function serverCredentials(tls: TlsOptions | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const pair = { private_key: toBuffer(tls.key), cert_chain: toBuffer(tls.cert) };
  return ServerCredentials.createSsl(toBuffer(tls.ca), [pair], tls.mutual ?? true);
}

/** @throws {InvalidValueError} that names the field. */
export function checkTls(tls: TlsOptions | undefined): void {
  if (tls === undefined) return;
  if (typeof tls !== "object" || tls === null) throw new InvalidValueError("tls", tls, "an object");
  for (const field of ["ca", "cert", "key"] as const) {
    const value: unknown = tls[field];
    const isGiven = (typeof value === "string" || value instanceof Uint8Array) && value.length > 0;
    // A key must not come into a log.
    if (!isGiven) throw new InvalidValueError(`tls.${field}`, typeof value, "PEM as text or bytes");
  }
  try {
    createSecureContext({ ca: toBuffer(tls.ca), cert: toBuffer(tls.cert), key: toBuffer(tls.key) });
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new InvalidValueError("tls", why, "a certificate in PEM, the key to it, and those who sign");
  }
}

function toBuffer(pem: Uint8Array | string): Buffer {
  return typeof pem === "string" ? Buffer.from(pem) : Buffer.from(pem.buffer, pem.byteOffset, pem.byteLength);
}

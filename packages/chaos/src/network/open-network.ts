import { NamespaceNetwork } from "./namespace-network.js";
import type { ChaosNetwork, NetworkKind } from "./network.js";
import { ProxyNetwork } from "./proxy-network.js";

/** With those that replace the founders. */
const ALL_NODES = [1, 2, 3, 4, 5, 6];

/**
 * The network of a cluster: of the kind that is asked for, or the best that there is.
 *
 * @throws {Error} when namespaces were asked for and cannot be made.
 */
export async function openNetwork(kind: NetworkKind | null): Promise<ChaosNetwork> {
  if (kind === "proxies") return ProxyNetwork.open(ALL_NODES);
  const network = await NamespaceNetwork.open();
  if (!("problem" in network)) return network;
  if (kind === "namespaces") throw new Error(`--network is "namespaces", but: ${network.problem}`);
  return ProxyNetwork.open(ALL_NODES);
}

/** Where a node runs, and how its process is started there. */
export interface Place {
  /** Where it listens, for clients and for peers. */
  readonly host: string;
  readonly clientPort: number;
  readonly peerPort: number;
  /** What stands before the command that starts it, e.g. `ip netns exec NAME`. */
  readonly prefix: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Modules that its process loads before the program. */
  readonly preloads: readonly string[];
}

/** The network between the nodes of a cluster, which is cut, slowed down and mended. Clients reach every node at any time. */
export interface ChaosNetwork {
  readonly kind: NetworkKind;
  /** The place of a node; the same each time that it is asked for. */
  place(id: number): Promise<Place>;
  /** From now on nothing that `from` sends reaches `to`. The other way is another cut. */
  cut(from: number, to: number): Promise<void>;
  /** Everything reaches everybody again. */
  mend(): Promise<void>;
  /** Leaves nothing behind. */
  close(): Promise<void>;
}

export type NetworkKind = "namespaces" | "proxies";

/** Cuts both ways between `one` and each of `others`. */
export async function isolate(network: ChaosNetwork, one: number, others: readonly number[]): Promise<void> {
  for (const other of others) {
    await network.cut(one, other);
    await network.cut(other, one);
  }
}

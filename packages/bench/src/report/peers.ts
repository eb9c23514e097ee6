/** Puts/s of another Raft by the number of clients. */
export interface PeerFigures {
  readonly name: string;
  readonly putsPerSec: ReadonlyMap<number, number>;
}

function peer(name: string, ...putsPerSec: readonly number[]): PeerFigures {
  return {
    name,
    putsPerSec: new Map([1, 64, 256, 1024, 4096].map((clients, i) => [clients, putsPerSec[i] as number])),
  };
}

/**
 * The same work done by others, for orientation: medians measured elsewhere, on a machine of two cores, and not in the run of
 * the report. The Rust and Go ones grow with more cores; one Node process does not.
 */
export const PEERS: readonly PeerFigures[] = [
  peer("openraft 0.10", 26_000, 543_000, 742_000, 744_000, 717_000),
  peer("etcd raft", 74_000, 254_000, 316_000, 354_000, 376_000),
  peer("hashicorp/raft", 25_000, 99_000, 121_000, 149_000, 121_000),
];

import type { NodeId } from "@seshat/common";
import type { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import type { NetworkCounts, NetworkFaults } from "./network-faults.js";
import { CALM, noNetworkCounts } from "./network-faults.js";

/** One way from one node to another. */
interface Link {
  cut: boolean;
  /** Messages wait here until the link is unclogged; null while it is not clogged. */
  clogged: (() => void)[] | null;
  inFlight: number;
  /** How much longer than others its messages take, in milliseconds. */
  slowerMs: number;
}

/** What lies between nodes: brings messages over, one way at a time, with faults that one random source decides. */
export class Links {
  readonly counts: NetworkCounts = noNetworkCounts();
  faults: NetworkFaults = CALM;
  readonly #random: SeededRandom;
  readonly #links = new Map<NodeId, Map<NodeId, Link>>();
  /** Of `#links`, in the order in which they were made. */
  readonly #made: Link[] = [];
  readonly #setTimer: (delayMs: number, callback: () => void) => void;

  constructor(clock: VirtualClock, random: SeededRandom) {
    this.#random = random;
    const runtime = clock.runtime(random);
    this.#setTimer = (delayMs, callback) => void runtime.setTimer(delayMs, callback);
  }

  /** Cuts the link from `from` to `to`, one way; what is on its way is lost. */
  cut(from: NodeId, to: NodeId): void {
    this.#link(from, to).cut = true;
  }

  /** Undoes {@link cut}. */
  mend(from: NodeId, to: NodeId): void {
    this.#link(from, to).cut = false;
  }

  /** Holds back what goes from `from` to `to`, until `unclog`. */
  clog(from: NodeId, to: NodeId): void {
    this.#link(from, to).clogged ??= [];
  }

  /** Lets everything go at once that was held back. */
  unclog(from: NodeId, to: NodeId): void {
    unclog(this.#link(from, to));
  }

  /** What goes from `from` to `to` from now on takes so much longer than other messages. */
  slow(from: NodeId, to: NodeId, slowerMs: number): void {
    this.#link(from, to).slowerMs = slowerMs;
  }

  /** Mends every link. */
  heal(): void {
    for (const link of this.#made) {
      link.cut = false;
      link.slowerMs = 0;
      unclog(link);
    }
  }

  /** Brings one message over, or not, once or twice. */
  carry(from: NodeId, to: NodeId, deliver: () => void): void {
    const { lossRate, duplicateRate } = this.faults;
    this.counts.sent += 1;
    if (lossRate > 0 && this.#random.next() < lossRate) {
      this.counts.lost += 1;
      return;
    }
    this.#travel(from, to, deliver);
    if (duplicateRate > 0 && this.#random.next() < duplicateRate) {
      this.counts.duplicated += 1;
      this.#travel(from, to, deliver);
    }
  }

  #travel(from: NodeId, to: NodeId, deliver: () => void): void {
    const link = this.#link(from, to);
    if (link.inFlight >= this.faults.linkCapacity) {
      this.counts.overflowed += 1;
      return;
    }
    link.inFlight += 1;
    if (link.slowerMs > 0) this.counts.slowed += 1;
    this.#setTimer(this.#latency() + link.slowerMs, () => {
      const arrive = (): void => {
        link.inFlight -= 1;
        if (link.cut) {
          this.counts.cut += 1;
          return;
        }
        this.counts.delivered += 1;
        deliver();
      };
      if (link.clogged === null) arrive();
      else {
        this.counts.clogged += 1;
        link.clogged.push(arrive);
      }
    });
  }

  #latency(): number {
    const { minLatencyMs, meanLatencyMs, delayRate, delayMs } = this.faults;
    let latency = minLatencyMs - Math.log(1 - this.#random.next()) * meanLatencyMs;
    if (delayRate > 0 && this.#random.next() < delayRate) {
      this.counts.delayed += 1;
      latency += this.#random.next() * delayMs;
    }
    return latency;
  }

  #link(from: NodeId, to: NodeId): Link {
    let links = this.#links.get(from);
    if (links === undefined) {
      links = new Map();
      this.#links.set(from, links);
    }
    let link = links.get(to);
    if (link === undefined) {
      link = { cut: false, clogged: null, inFlight: 0, slowerMs: 0 };
      links.set(to, link);
      this.#made.push(link);
    }
    return link;
  }
}

function unclog(link: Link): void {
  const held = link.clogged ?? [];
  link.clogged = null;
  for (const deliver of held) deliver();
}

/** A node or a cluster without a real clock, real chance or a real network: everything repeats from a seed. */
export { InProcessNetwork } from "./testing/in-process-network.js";
export type { NetworkFaults } from "./testing/in-process-network.js";
export { SeededRandom } from "./testing/seeded-random.js";
export { VirtualClock } from "./testing/virtual-clock.js";

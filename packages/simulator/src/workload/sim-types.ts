import type { TypeConfig } from "@seshat/common";
import type { SimCommand, SimReply } from "./sim-machine.js";

/** The types of the simulator's own cluster. */
export type SimTypes = TypeConfig<SimCommand, SimReply>;

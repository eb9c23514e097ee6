import { Raft } from "@seshat/raft";
import { patch } from "./patch.js";

patch(Raft.prototype, "ensureLinearizable", () => async () => {});

/**
 * For coming from raft-rs: its stored messages (package `eraftpb`) turned into Seshat's types, and back
 * where nothing is lost. Meant to be imported whole: `import * as eraftpb from "@seshat/common/eraftpb"`.
 */
export { confStateToMembership, leaveJoint, membershipToConfState } from "./eraftpb/conf-state.js";
export { entryToLogEntry, logEntryToEntry } from "./eraftpb/entry.js";
export { hardStateToVote, voteToHardState } from "./eraftpb/hard-state.js";
export type { VoteAndCommitted } from "./eraftpb/hard-state.js";
export { EntryType } from "./eraftpb/messages.js";
export type { ConfState, Entry, HardState } from "./eraftpb/messages.js";
export type { U64 } from "./eraftpb/u64.js";

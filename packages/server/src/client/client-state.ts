import type { Socket } from "node:net";
import type { RespValue, RespVersion } from "@seshat/resp";
import type { Route } from "../commands/command-table.js";
import type { Args } from "../gateway/op.js";
import { sizeOfArgs } from "../gateway/op.js";

/** What is known of one connection, and what it has chosen. */
export interface ClientState {
  readonly address: string;
  readonly localAddress: string;
  /** It comes from this machine. */
  readonly isLoopback: boolean;
  readonly createdMs: number;
  lastActiveMs: number;
  lastCommand: string;
  name: string;
  libraryName: string;
  libraryVersion: string;
  version: RespVersion;
  isAuthenticated: boolean;
  /** What follows on MULTI; null outside. */
  transaction: QueuedTransaction | null;
  /** True while EXEC carries out what is not about data: that may not send anything for itself. */
  isExecuting: boolean;
  /** The versions that watched keys had, by the characters of their names. */
  readonly watched: Map<string, readonly [Uint8Array, number]>;
  /** CLIENT REPLY: whether replies are written; `skipNext` becomes `skip` with the next command. */
  replies: "on" | "off" | "skip";
  /** Reads see the state of this node as it is. Chosen by READONLY, and said so. */
  readsLocally: boolean;
  /** Where this node does not lead, it says who does. */
  redirects: boolean;
  isEvictable: boolean;
  touches: boolean;
  /** How the replies of operations under way are made, by their numbers. */
  readonly onReply: { readonly number: number; readonly make: (reply: RespValue) => RespValue }[];
}

export function newClientState(socket: Socket, isAuthenticated: boolean, now: number): ClientState {
  const { remoteAddress = "", remotePort = 0, localAddress = "", localPort = 0 } = socket;
  return {
    address: formatAddress(remoteAddress, remotePort),
    localAddress: formatAddress(localAddress, localPort),
    isLoopback: isLoopback(remoteAddress),
    createdMs: now,
    lastActiveMs: now,
    lastCommand: "NULL",
    name: "",
    libraryName: "",
    libraryVersion: "",
    version: 2,
    isAuthenticated,
    transaction: null,
    isExecuting: false,
    watched: new Map(),
    replies: "on",
    readsLocally: false,
    redirects: false,
    isEvictable: true,
    touches: true,
    onReply: [],
  };
}

/** Commands of one transaction, and their bytes. */
const MAX_QUEUED_BYTES = 32 * 1024 * 1024;

/** The commands between MULTI and EXEC. */
export class QueuedTransaction {
  readonly queue: { readonly route: Route; readonly args: Args }[] = [];
  /** One of them made no sense: nothing is carried out. */
  isBroken = false;
  #bytes = 0;

  /** Keeps a copy of the arguments. @returns why not, when there are too many. */
  add(route: Route, args: Args): string | null {
    this.#bytes += sizeOfArgs(args);
    if (this.#bytes > MAX_QUEUED_BYTES) {
      this.isBroken = true;
      this.queue.length = 0;
      return `ERR the transaction is larger than ${MAX_QUEUED_BYTES} bytes`;
    }
    this.queue.push({ route, args: args.map((arg) => new Uint8Array(arg)) });
    return null;
  }
}

function formatAddress(host: string, port: number): string {
  return host.includes(":") && !host.startsWith("::ffff:")
    ? `[${host}]:${port}`
    : `${host.replace(/^::ffff:/, "")}:${port}`;
}

export function isLoopback(host: string): boolean {
  const plain = host.replace(/^::ffff:/, "");
  return plain === "::1" || plain === "localhost" || plain.startsWith("127.");
}

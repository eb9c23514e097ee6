import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Connections } from "./connections.js";

class FakeSocket extends EventEmitter {
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort: number;
  destroyed = false;

  constructor(remotePort: number) {
    super();
    this.remotePort = remotePort;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit("close");
  }
}

let connections: Connections;

beforeEach(() => {
  vi.useFakeTimers();
  connections = new Connections(100);
});

afterEach(() => {
  vi.useRealTimers();
});

function connect(port: number): FakeSocket {
  const socket = new FakeSocket(port);
  connections.add(socket as unknown as Socket);
  return socket;
}

test("a connection with a stream is not cut off, one whose last stream ended is, after the time that it had at first", () => {
  const socket = connect(1);
  vi.advanceTimersByTime(99);
  const [first, second] = [connections.opened("127.0.0.1:1"), connections.opened("127.0.0.1:1")];
  vi.advanceTimersByTime(10_000);
  expect(socket.destroyed).toBe(false);
  first();
  // Told twice is told once.
  first();
  vi.advanceTimersByTime(10_000);
  expect(socket.destroyed).toBe(false);
  second();
  vi.advanceTimersByTime(99);
  expect(socket.destroyed).toBe(false);
  vi.advanceTimersByTime(1);
  expect(socket.destroyed).toBe(true);
  expect(connections.size).toBe(0);
});

test("who never opens a stream is cut off", () => {
  const socket = connect(1);
  vi.advanceTimersByTime(100);
  expect(socket.destroyed).toBe(true);
});

test("what becomes of a connection is no concern of another that has its port by then", () => {
  const old = connect(1);
  const closed = connections.opened("127.0.0.1:1");
  const young = connect(1);
  old.destroy();
  expect(connections.size).toBe(1);
  const end = connections.opened("127.0.0.1:1");
  closed();
  vi.advanceTimersByTime(10_000);
  expect(young.destroyed).toBe(false);
  end();
  connections.destroy();
  expect(connections.size).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test("an error of a socket ends it, and nothing else", () => {
  const socket = connect(1);
  socket.emit("error", new Error("reset"));
  expect(socket.destroyed).toBe(true);
  expect(connections.opened("127.0.0.1:1")).not.toThrow();
});

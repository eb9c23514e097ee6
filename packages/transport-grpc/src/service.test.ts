import { expect, test } from "vitest";
import { makeGrpcConfig } from "./config.js";
import { deadlineKind, goes, maxBytes } from "./service.js";

test("what is urgent is small, however much a message may hold elsewhere, and never larger than that", () => {
  const config = makeGrpcConfig();
  expect(maxBytes("replicate", config)).toBe(config.maxMessageBytes);
  expect(maxBytes("snapshot", config)).toBe(config.maxMessageBytes);
  expect(maxBytes("control", config)).toBe(64 * 1024);
  expect(maxBytes("control", makeGrpcConfig({ maxMessageBytes: 1000 }))).toBe(1000);
});

test("a heartbeat is not given the time of entries", () => {
  expect(deadlineKind("control", "appendEntries")).toBe("heartbeat");
  expect(deadlineKind("replicate", "appendEntries")).toBe("appendEntries");
  expect(deadlineKind("control", "vote")).toBe("vote");
});

test("each way takes what belongs there", () => {
  expect(goes("control", "installSnapshot")).toBe(false);
  expect(goes("replicate", "vote")).toBe(false);
  expect(goes("snapshot", "appendEntries")).toBe(false);
  expect(goes("control", "appendEntries")).toBe(true);
});

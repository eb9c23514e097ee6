import type { Tracer } from "@seshat/common";
import { silentLogger } from "@seshat/common";
import { trace as openTelemetry } from "@opentelemetry/api";
import type { Tracer as OpenTelemetryTracer } from "@opentelemetry/api";
import { describe, expect, test } from "vitest";
import { RecordingLogger, RecordingTracer } from "../../test/support/instruments.js";
import { rejection } from "../../test/support/promises.js";
import { Instruments } from "./instruments.js";

describe("logging", () => {
  test("every record carries the id of the node", () => {
    const logger = new RecordingLogger();
    new Instruments(4, logger, null).log("info", "raft.role", { to: "leader" });
    expect(logger.records).toEqual([
      { level: "info", event: "raft.role", fields: { node: 4, to: "leader" } },
    ]);
  });

  test("a logger that throws disturbs nobody", () => {
    const logger = {
      log: (): void => {
        throw new Error("disk full");
      },
    };
    expect(() => new Instruments(1, logger, null).log("info", "raft.role", {})).not.toThrow();
  });
});

describe("spans", () => {
  test("without a tracer there is no span, and no object is made for one", () => {
    const instruments = new Instruments(1, silentLogger, null);
    expect(instruments.startSpan("raft.apply", {})).toBeNull();
    const result = {};
    expect(instruments.trace("raft.apply", {}, () => result)).toBe(result);
    const promise = Promise.resolve(1);
    expect(instruments.trace("raft.apply", {}, () => promise)).toBe(promise);
  });

  test("every span carries the id of the node beside its own attributes", () => {
    const tracer = new RecordingTracer();
    new Instruments(3, silentLogger, tracer).startSpan("raft.commit", { "raft.entries": 2 });
    expect(tracer.spans).toEqual([
      { name: "raft.commit", attributes: { "raft.node": 3, "raft.entries": 2 }, exceptions: [], ends: 0 },
    ]);
  });

  test("ends once the work has ended, whether at once or later", async () => {
    const tracer = new RecordingTracer();
    const instruments = new Instruments(1, silentLogger, tracer);
    expect(instruments.trace("a", {}, () => 5)).toBe(5);
    expect(tracer.spans[0]).toMatchObject({ ends: 1, exceptions: [] });
    const later = instruments.trace("b", {}, () => Promise.resolve(6));
    expect(tracer.spans[1]?.ends).toBe(0);
    expect(await later).toBe(6);
    expect(tracer.spans[1]).toMatchObject({ ends: 1, exceptions: [] });
  });

  test("notes the error that ended the work, and passes it on unchanged", async () => {
    const tracer = new RecordingTracer();
    const instruments = new Instruments(1, silentLogger, tracer);
    const error = new Error("no");
    expect(() =>
      instruments.trace("a", {}, () => {
        throw error;
      }),
    ).toThrow(error);
    const later = async (): Promise<unknown> =>
      instruments.trace<unknown>("b", {}, () => Promise.reject(error));
    expect(await rejection(later())).toBe(error);
    expect(tracer.spans.map(({ ends, exceptions }) => [ends, exceptions])).toEqual([
      [1, [error]],
      [1, [error]],
    ]);
  });

  test("a tracer that throws disturbs nobody", () => {
    const throwing: Tracer = {
      startSpan: () => {
        throw new Error("no exporter");
      },
    };
    expect(new Instruments(1, silentLogger, throwing).trace("a", {}, () => 1)).toBe(1);
    const half: Tracer = {
      startSpan: () => ({
        setAttribute: () => {},
        recordException: () => {},
        end: () => {
          throw new Error("no exporter");
        },
      }),
    };
    expect(new Instruments(1, silentLogger, half).trace("a", {}, () => 2)).toBe(2);
  });
});

describe("OpenTelemetry", () => {
  test("its tracer can be given as it is, and works while nothing is registered behind it", async () => {
    const real: OpenTelemetryTracer = openTelemetry.getTracer("seshat");
    const tracer: Tracer = real;
    const instruments = new Instruments(1, silentLogger, tracer);
    expect(instruments.trace("raft.apply", { "raft.entries": 1 }, () => 7)).toBe(7);
    const end = instruments.startSpan("raft.commit", {});
    expect(end).not.toBeNull();
    expect(() => end?.(new Error("noted"))).not.toThrow();
    await expect(instruments.trace("raft.apply", {}, () => Promise.reject(new Error("no")))).rejects.toThrow(
      "no",
    );
  });
});

describe("an operation", () => {
  test("is a span, and tells the log that it began and how it ended; the outcome is that of the work", async () => {
    const logger = new RecordingLogger();
    const tracer = new RecordingTracer();
    const instruments = new Instruments(3, logger, tracer);
    const attributes = { "raft.target": 2 };
    expect(await instruments.operation("raft.transfer", attributes, async () => 7)).toBe(7);
    const failure = new Error("no");
    const failed = instruments.operation("raft.transfer", attributes, () => Promise.reject(failure));
    await expect(failed).rejects.toBe(failure);
    const fields = { node: 3, target: 2 };
    expect(logger.records).toEqual([
      { level: "info", event: "raft.transfer.begun", fields },
      { level: "info", event: "raft.transfer.done", fields },
      { level: "info", event: "raft.transfer.begun", fields },
      { level: "warn", event: "raft.transfer.failed", fields: { ...fields, error: "no" } },
    ]);
    expect(tracer.spans).toMatchObject([
      { name: "raft.transfer", attributes: { "raft.target": 2 }, ends: 1, exceptions: [] },
      { ends: 1, exceptions: [failure] },
    ]);
  });
});

import { ShutdownError } from "@seshat/common";
import { expect, it } from "vitest";
import { LeaderClock } from "./leader-clock.js";
import { LocalWriter } from "./local-writer.js";

it("a writer that is closed hands over nothing more, whatever comes", async () => {
  const clock = new LeaderClock(
    () => 1,
    () => 0,
  );
  const writer = new LocalWriter({ clientWrite: () => expect.unreachable() }, clock, () => {});
  const op = { type: "command", args: [Buffer.from("FLUSHALL")] } as const;
  const before = writer.submit([op], 10);
  const error = new ShutdownError();
  writer.close(error);
  const after = writer.submit([op], 10);
  writer.flush();
  expect(await before).toEqual({ type: "refused", error });
  expect(await after).toEqual({ type: "refused", error });
});

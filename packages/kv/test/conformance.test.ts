import type { Request } from "@seshat/common";
import { stateMachineConformance } from "@seshat/storage/conformance";
import { describe, expect, test } from "vitest";
import { KvStateMachine } from "../src/index.js";
import { randomEntry } from "./random-commands.js";

for (const seed of [1, 2, 3]) {
  describe(`the state machine keeps the rules of StateMachine, seed ${seed}`, () => {
    const cases = stateMachineConformance(
      {
        create: () => new KvStateMachine(),
        command: (random): Request => ({ data: randomEntry(random, random.integer(0, 60)) }),
      },
      { commands: 600, seed },
    );
    for (const { group, name, run } of cases)
      test(`${group}: ${name}`, () => expect(run()).resolves.toBeUndefined());
  });
}

import type { Raft } from "@seshat/raft";
import { describe, expect, test } from "vitest";
import type { EmptyConfig } from "./empty-log.js";
import { TurnNetwork } from "./turn-network.js";

/** Three nodes that only note who was asked what. */
function setUp() {
  const network = new TurnNetwork<EmptyConfig>();
  const received: string[] = [];
  for (const id of [1, 2, 3]) {
    const note = (request: string): Promise<string> => {
      received.push(`${request} at ${id}`);
      return Promise.resolve(`answer to ${request}`);
    };
    network.join({ id, vote: note, appendEntries: note } as unknown as Raft<EmptyConfig>);
  }
  const connect = (from: number, to: number) =>
    network.from(from).connect(to, { addr: "" }) as unknown as {
      vote(request: string): Promise<string>;
      appendEntries(request: string): Promise<string>;
    };
  return { network, received, connect };
}

describe("the network of the benchmark", () => {
  test("hands nothing over within the turn of the sender, and all of a turn in order", async () => {
    const { received, connect } = setUp();
    const answers = [connect(1, 2).vote("a"), connect(1, 3).appendEntries("b"), connect(2, 1).vote("c")];
    expect(received).toEqual([]);
    expect(await Promise.all(answers)).toEqual(["answer to a", "answer to b", "answer to c"]);
    expect(received).toEqual(["a at 2", "b at 3", "c at 1"]);
  });

  test("brings no answer within the turn of who gives it", async () => {
    const { received, connect } = setUp();
    let answered = false;
    void connect(1, 2)
      .vote("a")
      .then(() => (answered = true));
    while (received.length === 0) await Promise.resolve();
    expect(answered).toBe(false);
  });

  test("refuses what is sent to a node that was taken off, and what that one sends, until it is back", async () => {
    const { network, received, connect } = setUp();
    network.leave(3);
    await expect(connect(1, 3).vote("a")).rejects.toThrow("the link is cut");
    await expect(connect(3, 1).vote("b")).rejects.toThrow("the link is cut");
    expect(received).toEqual([]);
    network.join({ id: 3, vote: () => Promise.resolve("back") } as unknown as Raft<EmptyConfig>);
    expect(await connect(1, 3).vote("c")).toBe("back");
  });
});

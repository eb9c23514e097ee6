import { NotLeaderError, UnknownOutcomeError } from "@seshat/common";
import { expect, it } from "vitest";
import { encodeReplies } from "./forward-codec.js";
import { LeaderLink } from "./leader-link.js";

interface Call {
  readonly to: string;
  answer(payload: Uint8Array): void;
  fail(error: Error): void;
}

function make(): { readonly link: LeaderLink; readonly calls: Call[] } {
  const calls: Call[] = [];
  const forwarder = {
    connect: (target: number, address: string) => {
      const own: Call[] = [];
      return {
        call: () =>
          new Promise<Uint8Array>((answer, fail) => {
            const call = { to: `${target} ${address}`, answer, fail };
            own.push(call);
            calls.push(call);
          }),
        close: () => {
          for (const call of own) call.fail(new UnknownOutcomeError("closed"));
        },
      };
    },
  };
  return { link: new LeaderLink(forwarder, 1000), calls };
}

const request = { type: "write", ops: [{ type: "config", config: {} }] } as const;

it("a follower goes to the next leader once the last has answered, or was given up", async () => {
  const { link, calls } = make();
  const first = link.send(1, "a:1", request, 10);
  expect([link.isFreeFor(1), link.isFreeFor(2)]).toEqual([true, false]);
  calls[0]?.answer(encodeReplies([7], false, 1000));
  expect(await first).toEqual({ type: "done", replies: [7] });
  expect(link.isFreeFor(2)).toBe(true);

  const second = link.send(2, "b:1", request, 10);
  const third = link.send(2, "b:1", request, 10);
  calls[1]?.fail(new NotLeaderError(null, null));
  expect(await second).toMatchObject({ type: "refused" });
  expect(link.isFreeFor(1)).toBe(false);
  link.close();
  expect(await third).toMatchObject({ type: "unknown" });
  expect(link.isFreeFor(1)).toBe(true);

  const fourth = link.send(1, "a:2", request, 10);
  expect(calls.map(({ to }) => to)).toEqual(["1 a:1", "2 b:1", "2 b:1", "1 a:2"]);
  calls[3]?.answer(Buffer.from([1]));
  // What cannot be read may have been done.
  expect(await fourth).toMatchObject({ type: "unknown" });
});

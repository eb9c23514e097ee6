import { describe, expect, test } from "vitest";
import { outcomeOf, settled } from "../../test/support/promises.js";
import { PendingRequests } from "./pending-requests.js";

describe("pending requests", () => {
  test("each gets an id of its own and its own answer, in whatever order answers come", async () => {
    const requests = new PendingRequests<string>();
    const ids: number[] = [];
    const first = requests.open((id) => ids.push(id));
    const second = requests.open((id) => ids.push(id));
    expect(new Set(ids).size).toBe(2);
    requests.take(ids[1] as number)?.resolve("second");
    requests.take(ids[0] as number)?.resolve("first");
    expect(await Promise.all([first, second])).toEqual(["first", "second"]);
  });

  test("a request can be answered while it is being opened", async () => {
    const requests = new PendingRequests<string>();
    expect(await requests.open((id) => requests.take(id)?.resolve("at once"))).toBe("at once");
    expect(requests.size).toBe(0);
  });

  test("who was taken out is not there a second time, and an unknown id is nobody", () => {
    const requests = new PendingRequests<void>();
    let opened = 0;
    void requests.open((id) => {
      opened = id;
    });
    expect(requests.size).toBe(1);
    expect(requests.take(opened)).toBeDefined();
    expect(requests.take(opened)).toBeUndefined();
    expect(requests.take(99)).toBeUndefined();
    expect(requests.size).toBe(0);
  });

  test("rejecting all leaves nobody, and does not touch who was answered", async () => {
    const requests = new PendingRequests<string>();
    const answered = outcomeOf(requests.open((id) => requests.take(id)?.resolve("yes")));
    const waiting = outcomeOf(requests.open(() => {}));
    const error = new Error("down");
    requests.rejectAll(error);
    requests.rejectAll(new Error("again"));
    await settled();
    expect(answered).toEqual({ values: ["yes"], errors: [] });
    expect(waiting).toEqual({ values: [], errors: [error] });
    expect(requests.size).toBe(0);
  });
});

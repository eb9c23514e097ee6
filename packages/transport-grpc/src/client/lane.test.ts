import { ForeignNodeError, UnreachableError, silentLogger } from "@seshat/common";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeGrpcConfig } from "../config.js";
import type { LinkEvents } from "./lane.js";
import { Lane } from "./lane.js";

/** A link that is ended by the test. */
interface FakeLink extends LinkEvents {
  readonly hello: string;
  end(error: Error): void;
}

const GONE = new UnreachableError(2, "it went away");

let links: FakeLink[];
let lane: Lane<FakeLink, string>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
  links = [];
  lane = new Lane<FakeLink, string>(
    {
      way: "control",
      target: 2,
      address: { host: "127.0.0.1", port: 1 },
      tls: undefined,
      config: makeGrpcConfig({ reconnectMinMs: 10, reconnectMaxMs: 100 }),
      logger: silentLogger,
    },
    (events, hello) => {
      const link = { ...events, hello, end: (error: Error) => events.ended(error) };
      links.push(link);
      return link;
    },
  );
});

afterEach(() => {
  vi.useRealTimers();
});

/** How long until there is another link, in milliseconds. */
function pauseBefore(count: number): number {
  for (let ms = 0; ms <= 1000; ms++) {
    try {
      lane.link("hello");
    } catch {
      // Too early.
    }
    if (links.length === count) return ms;
    vi.advanceTimersByTime(1);
  }
  throw new Error("it never connects again");
}

test("one link serves until it ends, and begins with what it was made for", () => {
  expect(lane.link("first")).toBe(lane.link("second"));
  expect(links.map(({ hello }) => hello)).toEqual(["first"]);
});

test("the pause after a failure doubles up to its limit, and begins anew once a peer has answered", () => {
  const pauses: number[] = [];
  for (let count = 1; count <= 7; count++) {
    pauses.push(pauseBefore(count));
    links.at(-1)?.ended(GONE);
  }
  expect(pauses).toEqual([0, 10, 20, 40, 80, 100, 100]);
  pauseBefore(8);
  links.at(-1)?.answered();
  links.at(-1)?.ended(GONE);
  expect(pauseBefore(9)).toBe(10);
});

test("failures without end do not make the pause a number that is none", () => {
  for (let count = 1; count <= 2000; count++) {
    pauseBefore(count);
    links.at(-1)?.ended(GONE);
  }
  expect(pauseBefore(2001)).toBe(100);
});

test("during the pause the reason of the last failure is given", () => {
  lane.link("hello").ended(GONE);
  expect(() => lane.link("hello")).toThrow("node 2 is unreachable: it went away");
  vi.advanceTimersByTime(10);
  lane.link("hello").ended(new ForeignNodeError("somebody else"));
  expect(() => lane.link("hello")).toThrow(ForeignNodeError);
  vi.advanceTimersByTime(20);
  lane.link("hello").ended(new RangeError("anything"));
  expect(() => lane.link("hello")).toThrow(UnreachableError);
});

test("a closed lane ends its link, and makes no other", () => {
  const reasons: Error[] = [];
  const link = lane.link("hello");
  link.end = (error) => {
    reasons.push(error);
    link.ended(error);
  };
  lane.close();
  expect(reasons.map(({ message }) => message)).toEqual(["node 2 is unreachable: the connection was closed"]);
  vi.advanceTimersByTime(1000);
  expect(() => lane.link("hello")).toThrow("the connection was closed");
  expect(links).toHaveLength(1);
});

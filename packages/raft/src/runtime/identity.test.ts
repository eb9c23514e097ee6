import type { BytesTypeConfig, RequestHeader, StoreIdentity } from "@seshat/common";
import { ForeignNodeError, ForeignStoreError, InvalidValueError, StorageError } from "@seshat/common";
import type { RaftStorage } from "@seshat/storage";
import { KeyValueStateMachine, OpenRaftMemStorage } from "@seshat/storage";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rejection } from "../../test/support/promises.js";
import { voters } from "../../test/support/values.js";
import { SeededRandom } from "../testing/seeded-random.js";
import { VirtualClock } from "../testing/virtual-clock.js";
import { Passport, claimStore } from "./identity.js";

const RUNTIME = new VirtualClock().runtime(new SeededRandom(1));

function newStore(): OpenRaftMemStorage {
  return new OpenRaftMemStorage(new KeyValueStateMachine());
}

describe("the store of a node", () => {
  test("is marked when it is new, before anything else is written, and known again", async () => {
    const store = newStore();
    const identity = await claimStore(store, 3, "here", RUNTIME);
    expect(identity).toMatchObject({ nodeId: 3, clusterId: "here" });
    expect(store.readIdentity()).toEqual(identity);
    expect(await claimStore(store, 3, "here", RUNTIME)).toEqual(identity);
  });

  test("has an incarnation from 1 to 2^53 - 1, whatever the source of chance gives, and another one each time", async () => {
    for (const random of [() => 0, () => 1 - 2 ** -53]) {
      const { incarnation } = await claimStore(newStore(), 3, "here", { ...RUNTIME, random });
      expect(incarnation).toBeGreaterThanOrEqual(1);
      expect(Number.isSafeInteger(incarnation)).toBe(true);
    }
    const seen = new Set<number>();
    for (let i = 0; i < 200; i++) seen.add((await claimStore(newStore(), 3, "here", RUNTIME)).incarnation);
    expect(seen.size).toBe(200);
    expect(Math.max(...seen)).toBeGreaterThan(2 ** 51);
  });

  test("of another node or cluster is refused, and stays what it was", async () => {
    const store = newStore();
    const identity = await claimStore(store, 3, "here", RUNTIME);
    for (const [id, cluster, field] of [
      [4, "here", "nodeId"],
      [3, "there", "clusterId"],
    ] as const) {
      const error = await rejection(claimStore(store, id, cluster, RUNTIME));
      expect(error).toBeInstanceOf(ForeignStoreError);
      expect(error.message).toContain(field === "nodeId" ? "4" : "there");
    }
    expect(store.readIdentity()).toEqual(identity);
  });

  test.each<[string, Partial<RaftStorage<BytesTypeConfig>>, string]>([
    ["that cannot be read", { readIdentity: () => Promise.reject(new Error("bad sector")) }, "read identity"],
    [
      "whose mark makes no sense",
      { readIdentity: (): StoreIdentity => ({ nodeId: 3, clusterId: "here", incarnation: 0 }) },
      "read identity",
    ],
    [
      "that cannot be marked",
      {
        readIdentity: () => null,
        saveIdentity: (): never => {
          throw new Error("disk full");
        },
      },
      "save identity",
    ],
  ])("%s is a storage error", async (_, broken, verb) => {
    const error = await rejection(claimStore(broken as RaftStorage<BytesTypeConfig>, 3, "here", RUNTIME));
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ verb });
  });
});

const OWN: StoreIdentity = { clusterId: "here", nodeId: 1, incarnation: 11 };
/** From node 2 on store 22, to this node on this store. */
const HEADER: RequestHeader = { clusterId: "here", from: 2, incarnation: 22, to: 1, toIncarnation: 11 };

function passport(incarnations: readonly (readonly [number, number])[] = []) {
  const membership = { ...voters(1, 2, 3), incarnations: new Map(incarnations) };
  return { membership, passport: new Passport(OWN, () => membership) };
}

describe("a request from a peer", () => {
  test.each<[string, Partial<RequestHeader>]>([
    ["from a voter on the store that it votes from", {}],
    ["from a node that was not heard from yet", { from: 3, incarnation: 99 }],
    ["from a node that is no member here", { from: 9, incarnation: 99 }],
    ["that does not say for which store it is", { toIncarnation: 0 }],
    [
      "from another store than an old membership names, which it may be about to replace,",
      { incarnation: 23 },
    ],
  ])("%s is let in", (_, header) => {
    const check = (): void => passport([[2, 22]]).passport.checkRequest({ ...HEADER, ...header });
    expect(check).not.toThrow();
  });

  test.each<[string, Partial<RequestHeader>, RegExp]>([
    ["of another cluster", { clusterId: "there" }, /cluster "there".*"here"/],
    ["that says no cluster", { clusterId: undefined as never }, /cluster "undefined"/],
    ["for another node", { to: 3 }, /for node 3, and this is node 1/],
    ["for this node on a store that is gone", { toIncarnation: 10 }, /on another store: this one is new/],
    ["from a node with this one's id", { from: 1 }, /the id of this node, 1/],
  ])("%s is refused", (_, header, message) => {
    const check = (): void => passport([[2, 22]]).passport.checkRequest({ ...HEADER, ...header });
    expect(check).toThrow(ForeignNodeError);
    expect(check).toThrow(message);
  });

  test.each<[string, unknown]>([
    ["header", undefined],
    ["header", "2"],
    ["header.from", { ...HEADER, from: 0 }],
    ["header.to", { ...HEADER, to: "1" }],
    ["header.incarnation", { ...HEADER, incarnation: 0 }],
    ["header.toIncarnation", { ...HEADER, toIncarnation: -1 }],
  ])("without a proper %s is refused by that", (field, header) => {
    const check = (): void => passport().passport.checkRequest(header as RequestHeader);
    expect(check).toThrow(InvalidValueError);
    expect(check).toThrow(new RegExp(`^${field} is `));
  });

  test("speaks for its sender and for nobody else", () => {
    passport().passport.checkAuthor("vote.candidateId", 2, HEADER);
    expect(() => passport().passport.checkAuthor("vote.candidateId", 3, HEADER)).toThrow(
      /^vote.candidateId is 3/,
    );
  });

  test("whatever its header, is let in or refused, and nothing else happens (property)", () => {
    const { passport: checks } = passport([[2, 22]]);
    const field = fc.oneof(fc.constantFrom(0, 1, 2, 11, 22, "here"), fc.anything());
    const header = fc.record(
      { clusterId: field, from: field, to: field, incarnation: field, toIncarnation: field },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(header, fc.anything()), (wrong) => {
        try {
          checks.checkRequest(wrong as RequestHeader);
        } catch (error) {
          expect(error instanceof ForeignNodeError || error instanceof InvalidValueError).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("an answer", () => {
  test("of the node that was asked, on its store or where none is known, is believed", () => {
    const known = passport([[2, 22]]).passport;
    expect(() => known.checkResponse({ from: 2, incarnation: 22 }, 2)).not.toThrow();
    const unknown = passport().passport;
    expect(() => unknown.checkResponse({ from: 2, incarnation: 99 }, 2)).not.toThrow();
  });

  test("of another node, of another store, or of nobody, is not", () => {
    const { passport: checks } = passport([[2, 22]]);
    expect(() => checks.checkResponse({ from: 3, incarnation: 22 }, 2)).toThrow(
      /node 2 was asked, and node 3/,
    );
    expect(() => checks.checkResponse({ from: 2, incarnation: 23 }, 2)).toThrow(
      /node 2 runs on another store/,
    );
    expect(() => checks.checkResponse(undefined as never, 2)).toThrow(/^answer.header is /);
    expect(() => checks.checkResponse({ from: 2, incarnation: 0.5 }, 2)).toThrow(
      /^answer.header.incarnation is /,
    );
  });
});

describe("what this node says of itself", () => {
  test("is the same to everybody, with the store that is known of each", () => {
    const { passport: own, membership } = passport([[2, 22]]);
    expect(own.response).toEqual({ from: 1, incarnation: 11 });
    const header = own.request(2);
    expect(header).toEqual({ clusterId: "here", from: 1, incarnation: 11, to: 2, toIncarnation: 22 });
    expect(own.request(3)).toEqual({ clusterId: "here", from: 1, incarnation: 11, to: 3, toIncarnation: 0 });
    expect(own.request(2)).toBe(header);
    membership.incarnations.set(2, 23);
    expect(own.request(2)).toEqual({ ...header, toIncarnation: 23 });
  });

  test("is not kept for nodes that are gone", () => {
    const { passport: own } = passport();
    const [two, three] = [own.request(2), own.request(3)];
    own.retain((id) => id === 3);
    expect(own.request(3)).toBe(three);
    expect(own.request(2)).not.toBe(two);
  });
});

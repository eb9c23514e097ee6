import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ANY_ERROR } from "../../test/any-error.js";
import * as common from "../index.js";
import type { WireError } from "../index.js";
import {
  CodecError,
  ForeignStoreError,
  InvalidValueError,
  NotLeaderError,
  RemoteError,
  SeshatError,
  SessionError,
  StoppedError,
  StorageError,
  StorageStalledError,
  TransferFailedError,
  UnknownOutcomeError,
  decodeError,
  encodeError,
} from "../index.js";
import { WIRE_TABLE } from "./wire-table.js";

/** What another process gets. */
function sent(error: unknown): unknown {
  return JSON.parse(JSON.stringify(encodeError(error)));
}

function fieldsOf(error: SeshatError): object {
  return Object.fromEntries(Object.entries(error));
}

function wireOf(fields: Record<string, unknown>, code: string, message = "m"): unknown {
  return { code, message, fields, cause: null };
}

const everyError = fc.oneof(...Object.values(ANY_ERROR));

class OutOfCheeseError extends SeshatError {
  override readonly code = "outOfCheese";
  readonly secret = "the cellar";
}

/** Its code is that of a property of every object. */
class ConstructorError extends SeshatError {
  override readonly code = "constructor";
}

class ImpostorError extends SeshatError {
  override readonly code = "notLeader";
  readonly leaderId = 3;
}

describe("every error class", () => {
  test("that the package exports has a row of the table, and errors to try it with", () => {
    const exported = Object.entries(common)
      .filter(([, value]) => typeof value === "function" && value.prototype instanceof SeshatError)
      .map(([name]) => name)
      .sort();
    const inTable = Object.values(WIRE_TABLE).map(({ type }) => type.name);
    expect(inTable.sort()).toEqual(exported);
    expect(Object.keys(ANY_ERROR).sort()).toEqual(exported);
  });

  test.each(Object.entries(ANY_ERROR))(
    "%s comes back as the same class with the same fields and message, its cause as text",
    (name, errors) => {
      fc.assert(
        fc.property(errors, (error) => {
          const back = decodeError(sent(error));
          expect(back.constructor).toBe(error.constructor);
          expect(back.name).toBe(name);
          expect(back.message).toBe(error.message);
          expect(fieldsOf(back)).toEqual(fieldsOf(error));
          const { cause } = error;
          expect(back.cause).toBe(cause instanceof Error ? cause.message : cause);
        }),
      );
    },
  );

  test("travels as plain data that JSON does not change, and comes back the same however often it is passed on", () => {
    fc.assert(
      fc.property(everyError, (error) => {
        const wire = encodeError(error);
        expect(sent(error)).toEqual(wire);
        expect(encodeError(decodeError(wire))).toEqual(wire);
      }),
    );
  });

  test("never takes a stack along", () => {
    fc.assert(
      fc.property(everyError, (error) => {
        const text = JSON.stringify(encodeError(error));
        expect(text).not.toContain("any-error.ts");
        expect(text).not.toContain("stack");
      }),
    );
  });
});

describe("what a wire error says", () => {
  test("code, message, fields by name, and the text of the cause", () => {
    const error = new StorageError("append", "no space", { cause: new Error("ENOSPC") });
    expect(encodeError(error)).toEqual<WireError>({
      code: "storage",
      message: "storage failed to append: no space",
      fields: { verb: "append", problem: "no space" },
      cause: "ENOSPC",
    });
    expect(encodeError(new SessionError(Number.NaN, "malformed")).fields).toEqual({
      sessionId: "NaN",
      problem: "malformed",
    });
  });

  test("of a node only its address, whatever else an application knows of it", () => {
    const node = { addr: "a:1", password: "secret" };
    expect(encodeError(new NotLeaderError(1, node)).fields).toEqual({
      leaderId: 1,
      leaderNode: { addr: "a:1" },
    });
  });

  test("a cause that is no error becomes text too", () => {
    const causeOf = (cause: unknown): string | null =>
      encodeError(new UnknownOutcomeError("x", { cause })).cause;
    expect(causeOf("text")).toBe("text");
    expect(causeOf(null)).toBe("null");
    expect(causeOf({ a: 1n })).toBe('{"a":"1n"}');
    expect(causeOf(undefined)).toBeNull();
  });

  test("texts are cut, so that it stays small", () => {
    const long = "x".repeat(1_000_000);
    const wire = encodeError(new StorageError("append", long, { cause: new Error(long) }));
    expect(JSON.stringify(wire).length).toBeLessThan(13_000);
    expect(wire.fields["problem"]).toBe(`${"x".repeat(4093)}...`);
    expect(wire.cause).toHaveLength(4096);
    const back = decodeError(wire);
    expect(back).toBeInstanceOf(StorageError);
    expect(back).toMatchObject({ message: wire.message, problem: wire.fields["problem"], cause: wire.cause });
  });

  test("a text of just the greatest length is whole", () => {
    const most = "x".repeat(4096);
    expect(encodeError(new InvalidValueError(most, 1, "y")).fields["field"]).toBe(most);
  });

  test("of an error of another package its code and message, and none of its fields", () => {
    expect(encodeError(new OutOfCheeseError("redo"))).toEqual({
      code: "outOfCheese",
      message: "redo",
      fields: {},
      cause: null,
    });
    expect(encodeError(new ImpostorError("not really")).fields).toEqual({});
    expect(encodeError(new ConstructorError("odd"))).toMatchObject({ code: "constructor", fields: {} });
  });

  test.each<[string, unknown, string]>([
    ["an error of the language", new RangeError("no such page"), "no such page"],
    ["an error whose message is none", Object.assign(new Error("x"), { message: 7 }), "7"],
    ["text", "just text", "just text"],
    ["nothing at all", undefined, "undefined"],
  ])("of %s that it was unexpected", (_, thrown, message) => {
    expect(encodeError(thrown)).toEqual({ code: "unexpected", message, fields: {}, cause: null });
  });
});

describe("what is unknown or malformed becomes a RemoteError", () => {
  test("a code that this version does not have", () => {
    const back = decodeError(sent(new OutOfCheeseError("redo", { cause: new Error("mice") })));
    expect(back).toBeInstanceOf(RemoteError);
    expect(back).toMatchObject({ code: "remote", remoteCode: "outOfCheese", message: "redo", cause: "mice" });
  });

  test.each(["__proto__", "constructor", "toString", "hasOwnProperty", ""])("the code %j", (code) => {
    expect(decodeError(wireOf({}, code))).toMatchObject({ code: "remote", remoteCode: code, message: "m" });
  });

  test("one that says it is ours, and is a stranger's", () => {
    expect(decodeError(sent(new ImpostorError("not really")))).toMatchObject({
      code: "remote",
      remoteCode: "notLeader",
      message: "not really",
    });
  });

  test.each<[string, string, Record<string, unknown>]>([
    ["a missing field", "notLeader", { leaderId: 2 }],
    ["a node id of 0", "notAMember", { nodeId: 0 }],
    ["a node id past 2^53 - 1", "notAMember", { nodeId: 2 ** 53 }],
    ["a node id as text", "notAMember", { nodeId: "4" }],
    ["an index below 0", "learnerLagging", { nodeId: 1, matchIndex: -1, lastIndex: 1 }],
    ["an index that is no integer", "learnerLagging", { nodeId: 1, matchIndex: 0.5, lastIndex: 1 }],
    ["a null that may not be", "notAMember", { nodeId: null }],
    ["a verb that there is not", "storageStalled", { verb: "juggle" }],
    ["a verb of every object", "storageStalled", { verb: "constructor" }],
    ["a reason that there is not", "transferFailed", { target: 1, reason: "mood" }],
    ["a session's problem that there is not", "session", { sessionId: 1, problem: "toString" }],
    ["a field of a store that there is not", "foreignStore", { field: "x", found: "a", expected: "b" }],
    ["text that is none", "preconditionFailed", { found: ["a"] }],
    ["a number as text", "timeout", { waitingFor: "x", timeoutMs: "300" }],
    ["a number that is none", "timeout", { waitingFor: "x", timeoutMs: true }],
    ["a log id without an index", "changeInProgress", { membershipLogId: { term: 1 } }],
    ["a log id of bad numbers", "changeInProgress", { membershipLogId: { term: 1, index: "9" } }],
    ["a log id that is a list", "changeInProgress", { membershipLogId: [1, 9] }],
    ["an address that is none", "notLeader", { leaderId: 2, leaderNode: { addr: 7 } }],
    ["an address that is too long", "notLeader", { leaderId: 2, leaderNode: { addr: "a".repeat(1025) } }],
  ])("%s", (_, code, fields) => {
    const back = decodeError(wireOf(fields, code));
    expect(back).toBeInstanceOf(RemoteError);
    expect(back).toMatchObject({ remoteCode: code, message: "m" });
  });

  test("an address of just the greatest length is taken, whole", () => {
    const leaderNode = { addr: "a".repeat(1024) };
    expect(decodeError(wireOf({ leaderId: 2, leaderNode }, "notLeader"))).toMatchObject({ leaderNode });
  });

  test("fields, code or message that are not there or something else", () => {
    const { code, message, fields } = encodeError(new NotLeaderError(null, null));
    const unread = "the other side failed, and what it said about it cannot be read";
    expect(decodeError({ code, message })).toMatchObject({ remoteCode: "notLeader", message });
    expect(decodeError({ code, message, fields: "none" })).toMatchObject({
      remoteCode: "notLeader",
      message,
    });
    expect(decodeError({ code, fields })).toMatchObject({ remoteCode: "notLeader", message: unread });
    expect(decodeError({ message, fields })).toMatchObject({ remoteCode: "malformed", message });
    expect(decodeError({ code: 7, message: [] })).toMatchObject({ remoteCode: "malformed", message: unread });
    for (const wire of [undefined, null, 7, "notLeader", [], () => {}]) {
      expect(decodeError(wire)).toMatchObject({ remoteCode: "malformed", message: unread });
    }
  });

  test("a cause that is no text is left out, and the error is what it was", () => {
    const wire = { ...encodeError(new StorageError("append", "no space")), cause: { deep: true } };
    const back = decodeError(wire);
    expect(back).toBeInstanceOf(StorageError);
    expect(back.cause).toBeUndefined();
  });

  test("an object that fights back", () => {
    const trap = (): never => {
      throw new Error("trap");
    };
    const proxy = new Proxy({}, { get: trap, getOwnPropertyDescriptor: trap, has: trap, ownKeys: trap });
    expect(decodeError(proxy)).toMatchObject({ remoteCode: "malformed" });
    const fields = Object.defineProperty({}, "nodeId", { get: trap, enumerable: true });
    expect(decodeError({ code: "notAMember", message: "m", fields })).toMatchObject({
      remoteCode: "notAMember",
    });
  });

  test("whatever is given, an error comes out and nothing is thrown, and it is small", () => {
    const codes = fc.oneof(fc.constantFrom(...Object.keys(WIRE_TABLE)), fc.string(), fc.anything());
    const names = Object.values(WIRE_TABLE).flatMap(({ fields }) => Object.keys(fields));
    const fields = fc.dictionary(fc.constantFrom(...names, "__proto__"), fc.anything());
    const wire = fc.oneof(
      fc.anything(),
      fc.record({ code: codes, message: fc.oneof(fc.string(), fc.anything()), fields, cause: fc.anything() }),
    );
    fc.assert(
      fc.property(wire, (something) => {
        const back = decodeError(something);
        expect(back).toBeInstanceOf(SeshatError);
        expect(typeof back.message).toBe("string");
        expect(() => encodeError(back)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});

describe("nothing is taken over but what the class has", () => {
  test("further fields, of a later version or of an attacker, are left behind", () => {
    const wire = JSON.parse(
      '{"code":"notAMember","message":"m","cause":null,"stack":"at evil","name":"Evil","fields":{"nodeId":4,"stack":"at evil","code":"ok","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}',
    ) as unknown;
    const back = decodeError(wire);
    expect(fieldsOf(back)).toEqual({ name: "NotAMemberError", code: "notAMember", nodeId: 4 });
    expect(back.stack).not.toContain("at evil");
    expect("polluted" in back).toBe(false);
    expect("polluted" in {}).toBe(false);
  });

  test("what an object only inherits does not count", () => {
    const inherited = Object.create({ nodeId: 4 }) as Record<string, unknown>;
    expect(decodeError(wireOf(inherited, "notAMember"))).toBeInstanceOf(RemoteError);
  });

  test("a log id and a node have their own fields only", () => {
    const sentId = { term: 1, index: 2, extra: 3 };
    const back = decodeError(wireOf({ membershipLogId: sentId }, "changeInProgress"));
    expect(back).toMatchObject({ membershipLogId: { term: 1, index: 2 } });
    expect(fieldsOf(back)).toEqual({
      name: "ChangeInProgressError",
      code: "changeInProgress",
      membershipLogId: { term: 1, index: 2 },
    });
    expect(decodeError(wireOf({ leaderId: 1, leaderNode: { addr: "a", x: 1 } }, "notLeader"))).toHaveProperty(
      "leaderNode",
      { addr: "a" },
    );
  });
});

test("huge texts from the other side are cut in every place", () => {
  const huge = "x".repeat(5_000_000);
  const cutTo = 4096;
  const known = decodeError({
    code: "codec",
    message: huge,
    fields: { format: huge, offset: 1, problem: huge },
    cause: huge,
  });
  expect(known).toBeInstanceOf(CodecError);
  expect(
    [known.message, (known as CodecError).format, (known as CodecError).problem].map(({ length }) => length),
  ).toEqual([cutTo, cutTo, cutTo]);
  const stopped = decodeError({ code: "stopped", message: huge, fields: { why: huge }, cause: null });
  expect(stopped).toBeInstanceOf(StoppedError);
  expect((stopped as StoppedError).why).toHaveLength(cutTo);
  expect(stopped.cause).toHaveLength(cutTo);
  const store = decodeError({
    code: "foreignStore",
    message: huge,
    fields: { field: "nodeId", found: huge, expected: huge },
    cause: huge,
  });
  expect(store).toBeInstanceOf(ForeignStoreError);
  expect((store as ForeignStoreError).found).toHaveLength(cutTo);
  const unknown = decodeError({ code: huge, message: huge, fields: {}, cause: huge }) as RemoteError;
  expect([unknown.remoteCode.length, unknown.message.length, (unknown.cause as string).length]).toEqual([
    64,
    cutTo,
    cutTo,
  ]);
});

test("the message is the one of the side that failed, also when its version says it in other words", () => {
  const back = decodeError({
    code: "storageStalled",
    message: "it hangs",
    fields: { verb: "append" },
    cause: null,
  });
  expect(back).toBeInstanceOf(StorageStalledError);
  expect(back.message).toBe("it hangs");
  expect(
    decodeError({ code: "transferFailed", message: "", fields: { target: 1, reason: "timeout" } }),
  ).toBeInstanceOf(TransferFailedError);
});

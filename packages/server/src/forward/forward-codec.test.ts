import { CodecError } from "@seshat/common";
import type { RespValue } from "@seshat/resp";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ForwardRequest } from "./forward-codec.js";
import { decodeForward, decodeReplies, encodeForward, encodeReplies } from "./forward-codec.js";

const bytes = fc.uint8Array({ maxLength: 20 });
const args = fc.array(bytes, { minLength: 1, maxLength: 4 });

const { reply } = fc.letrec<{ reply: RespValue }>((tie) => ({
  reply: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(null),
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
    fc.boolean(),
    bytes,
    fc.record({ type: fc.constantFrom("simple" as const), text: fc.string() }),
    fc.record({ type: fc.constantFrom("error" as const), message: fc.string() }),
    fc.constant({ type: "nullArray" } as const),
    fc.record({ type: fc.constantFrom("double" as const), value: fc.double() }),
    fc.record({ type: fc.constantFrom("verbatim" as const), format: fc.constant("txt"), text: bytes }),
    fc.record({ type: fc.constantFrom("bigNumber" as const), value: fc.bigInt() }),
    fc.array(tie("reply"), { maxLength: 3 }),
    fc.record({
      type: fc.constantFrom("set" as const, "push" as const),
      items: fc.array(tie("reply"), { maxLength: 3 }),
    }),
    fc.record({
      type: fc.constantFrom("map" as const),
      entries: fc.array(fc.tuple(tie("reply"), tie("reply")), { maxLength: 3 }),
    }),
  ) as fc.Arbitrary<RespValue>,
}));

const request: fc.Arbitrary<ForwardRequest> = fc.oneof(
  fc.record({
    type: fc.constant("read" as const),
    ops: fc.array(fc.oneof(args, fc.record({ versionsOf: args })), { maxLength: 4 }),
  }),
  fc.record({
    type: fc.constant("write" as const),
    ops: fc.array(
      fc.oneof(
        fc.record({ type: fc.constant("command" as const), args }),
        fc.record({
          type: fc.constant("transaction" as const),
          commands: fc.array(args, { maxLength: 3 }),
          watched: fc.array(fc.record({ key: bytes, version: fc.maxSafeNat() }), { maxLength: 3 }),
        }),
        fc.record({
          type: fc.constant("config" as const),
          config: fc.record({ maxKeyBytes: fc.integer({ min: 1, max: 99 }) }),
        }),
      ),
      { maxLength: 4 },
    ),
  }),
);

describe("what is forwarded", () => {
  it("arrives as it was sent", () => {
    fc.assert(
      fc.property(request, (sent) => {
        expect(decodeForward(encodeForward(sent, 0))).toEqual(sent);
      }),
    );
  });

  it("is answered by the replies of the leader", () => {
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 4 }), (replies) => {
        expect(decodeReplies(encodeReplies(replies, false, 9999), replies.length, false)).toEqual(replies);
      }),
    );
  });

  it("is refused when it is cut off, longer than it says, or of another count", () => {
    fc.assert(
      fc.property(request, (sent) => {
        const whole = encodeForward(sent, 0);
        for (let length = 0; length < whole.length; length++) {
          expect(() => decodeForward(whole.subarray(0, length))).toThrow(CodecError);
        }
        expect(() => decodeForward(Buffer.concat([whole, Buffer.from([0])]))).toThrow(CodecError);
      }),
      { numRuns: 30 },
    );
    expect(() => decodeReplies(encodeReplies([1, 2], false, 99), 3, false)).toThrow(CodecError);
    expect(() => decodeReplies(encodeReplies([1, 2], true, 99), 1, true)).toThrow(CodecError);
    expect(() => decodeReplies(encodeReplies([], true, 99), 1, true)).toThrow(CodecError);
  });

  it("is answered in part where not all replies fit, and never so that what was done looks refused", () => {
    const replies = [new Uint8Array(400), 7, new Uint8Array(700), 8];
    const answer = (isPartial: boolean, maxBytes: number): RespValue[] =>
      decodeReplies(encodeReplies(replies, isPartial, maxBytes), replies.length, isPartial);
    const tooLarge = expect.objectContaining({
      type: "error",
      message: expect.stringMatching("was carried out"),
    });
    expect(answer(true, 2000)).toEqual(replies);
    expect(answer(true, 1000)).toEqual(replies.slice(0, 2));
    expect(answer(true, 300)).toEqual([tooLarge, 7]);
    expect(answer(false, 2000)).toEqual(replies);
    expect(answer(false, 1300)).toEqual([replies[0], 7, tooLarge, 8]);
  });
});

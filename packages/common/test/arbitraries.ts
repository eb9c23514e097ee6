import fc from "fast-check";
import type { BasicNode, LogId, Membership, NodeId, Vote } from "../src/index.js";
import { createMembership } from "../src/index.js";

/** Any u64 that Seshat can hold, often a boundary. */
export const anyInteger: fc.Arbitrary<number> = fc.oneof(
  fc.nat(4),
  fc.maxSafeNat(),
  fc.constantFrom(0xff, 0xffff_ffff, 0x1_0000_0000, Number.MAX_SAFE_INTEGER),
);

/** Log ids that often share a term or an index. */
export const anyLogId: fc.Arbitrary<LogId> = fc.record({ term: anyInteger, index: anyInteger });

/** Votes of few terms and candidates, so that two of them often compete. */
export const anyVote: fc.Arbitrary<Vote> = fc.record({
  term: fc.nat(2),
  votedFor: fc.option(fc.integer({ min: 1, max: 3 })),
  committed: fc.boolean(),
});

const someIds: fc.Arbitrary<NodeId[]> = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1 });

/** Memberships with one set of voters or two, some learners, some who leave, and some incarnations. */
export const anyMembership: fc.Arbitrary<Membership> = fc
  .tuple(
    fc.array(someIds, { minLength: 1, maxLength: 2 }),
    someIds,
    fc.infiniteStream(fc.boolean()),
    fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 3 })), { maxLength: 9 }),
  )
  .map(([configs, others, choices, incarnations]) => {
    const [outgoing = [], incoming] = configs;
    const leaving = outgoing.filter(
      (id) => incoming?.includes(id) === false && choices.next().value === true,
    );
    return createMembership(configs, nodesFor([...configs.flat(), ...others]), { leaving, incarnations });
  });

/** A made-up address for each id. */
export function nodesFor(ids: Iterable<NodeId>): [NodeId, BasicNode][] {
  return [...ids].map((id) => [id, { addr: `10.0.0.${id}:7000` }]);
}

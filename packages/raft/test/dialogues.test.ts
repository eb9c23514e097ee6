import { expect, test } from "vitest";
import { Dialogue } from "./dialogue/dialogue.js";

/**
 * Dialogues between engines, kept as text under `dialogues/` and read like a script. A change in any of
 * them is a change in what nodes say to each other: read it before accepting it (`vitest -u`).
 */

test("an election with pre-vote", async () => {
  const d = new Dialogue({ 1: 0, 2: 0.5, 3: 0.9 });
  d.note("n1's election timeout passes first; it asks before it disturbs anybody");
  d.tick(1, 150);
  d.note("both would vote for it, so it stands: its own vote has to be durable before it asks");
  d.deliver();
  d.deliver();
  d.persist(1);
  d.note("the others vote, durably");
  d.deliver();
  d.persist(2);
  d.persist(3);
  d.note("one vote is enough; the blank entry goes out");
  d.deliver(({ from }) => from === 2);
  d.note("and everything settles");
  d.settle();
  expect(d.engine(1).state.role.type).toBe("leader");
  await expect(d.text).toMatchFileSnapshot("dialogues/election-with-pre-vote.txt");
});

test("a split vote, and the election after it", async () => {
  const d = new Dialogue({ 1: 0, 2: 0, 3: 0.9, 4: 0.9 }, { preVote: false });
  d.note("n1 and n2 stand in the same term");
  d.tick(1, 150);
  d.tick(2, 0);
  d.persist(1);
  d.persist(2);
  d.note("each gets one more vote, of the three that it needs");
  d.deliver(({ from, to }) => (from === 1 && to === 3) || (from === 2 && to === 4));
  d.persist(3);
  d.persist(4);
  d.deliver();
  d.deliver();
  d.deliver();
  d.note("nobody won; n1's next timeout ends first, and the new term is its own");
  d.tick(1, 150);
  d.settle();
  expect(d.engine(1).state.role.type).toBe("leader");
  expect(d.engine(1).state.vote.term).toBe(2);
  await expect(d.text).toMatchFileSnapshot("dialogues/split-vote.txt");
});

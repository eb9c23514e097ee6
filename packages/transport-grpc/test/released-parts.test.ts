import type { BytesTypeConfig } from "@seshat/common";
import { EMPTY_STORED_MEMBERSHIP } from "@seshat/common";
import { expect, test } from "vitest";
import type { RaftHandlers } from "../src/index.js";
import { HEADER, connectTo, listen, willing } from "./messages.js";

type Part = Parameters<RaftHandlers<BytesTypeConfig>["installSnapshot"]>[0];

const BY = { from: 2, incarnation: 9 };
const META = {
  lastLogId: { term: 1, index: 9 },
  lastMembership: EMPTY_STORED_MEMBERSHIP,
  snapshotId: "1-9-1",
};

function part(bytes: number): Part {
  const data = new Uint8Array(bytes).fill(7);
  return { term: 1, leaderId: 1, meta: META, size: 1_000_000, offset: 0, data, header: HEADER };
}

/** Sends a part of so many bytes. @returns what the node was given, and had when it answered. */
async function given(
  bytes: number,
  answer: Awaited<ReturnType<RaftHandlers<BytesTypeConfig>["installSnapshot"]>>,
): Promise<{ data: Uint8Array; first: number | undefined; later: number | undefined }> {
  const seen: { data: Uint8Array; first: number | undefined }[] = [];
  const installSnapshot = ({ data }: Part): Promise<typeof answer> => {
    // What it takes longer for than a turn is there until it answers.
    return new Promise((resolve) =>
      setImmediate(() => {
        seen.push({ data, first: data.at(-1) });
        resolve(answer);
      }),
    );
  };
  await using listener = await listen(willing({ installSnapshot }));
  using network = connectTo(listener.address);
  await network.installSnapshot(part(bytes));
  const [only] = seen as [{ data: Uint8Array; first: number | undefined }];
  return { ...only, later: only.data[bytes - 1] };
}

test("the memory of a part of a snapshot is freed once the node has taken it in, and not before", async () => {
  const progress = { type: "progress", term: 1, nextOffset: 100_000, header: BY } as const;
  const { data, first, later } = await given(100_000, progress);
  expect(first).toBe(7);
  expect(later).toBeUndefined();
  expect(data.buffer.byteLength).toBe(0);
});

test("it stays where a node may still be at it, and where it is small", async () => {
  for (const type of ["refused", "installed"] as const) {
    const { first, later } = await given(100_000, { type, term: 1, header: BY });
    expect([first, later]).toEqual([7, 7]);
  }
  const { first, later } = await given(1000, { type: "progress", term: 1, nextOffset: 1000, header: BY });
  expect([first, later]).toEqual([7, 7]);
});

import type { RaftTypeConfig, SnapshotMeta } from "@seshat/common";
import { check, checkEqual } from "./check.js";
import type { StorageBench, Store } from "./storage-bench.js";
import { contentOf } from "./storage-bench.js";

/** A store that applied a membership of 1 and commands, up to `1-upto`. */
export async function filled<C extends RaftTypeConfig>(
  bench: StorageBench<C>,
  upto: number,
): Promise<Store<C>> {
  const store = await bench.store();
  await store.applyAll(bench.membershipEntry(0, 1, 1), ...bench.normals(1, 2, upto));
  return store;
}

/** Checks that a store shows what was installed, which `donor` built. */
export async function checkInstalled<C extends RaftTypeConfig>(
  store: Store<C>,
  donor: Store<C>,
  meta: SnapshotMeta<C["Node"]>,
  content: Uint8Array,
): Promise<void> {
  const current = await store.machine.readCurrentSnapshot();
  check(current !== null, "there is no current snapshot");
  checkEqual("the current snapshot", current.meta, meta);
  checkEqual("its content", await contentOf(current.data), content);
  const { lastLogId, lastMembership } = meta;
  checkEqual("the applied state", await store.machine.readAppliedState(), {
    lastAppliedLogId: lastLogId,
    lastMembership,
  });
  checkEqual("the state", await store.state(), await donor.state());
}

/** What a store that stays as it is shows of its data. */
export async function picture<C extends RaftTypeConfig>(store: Store<C>): Promise<unknown> {
  const snapshot = await store.machine.readCurrentSnapshot();
  return {
    state: await store.state(),
    applied: await store.machine.readAppliedState(),
    meta: snapshot?.meta,
    content: snapshot === null ? null : await contentOf(snapshot.data),
  };
}

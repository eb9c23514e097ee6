import { SeededRandom } from "@seshat/raft/testing";
import type { StateMachine } from "@seshat/storage";
import { canonicalText, shorten } from "./canonical.js";
import { contentOf } from "./content.js";
import type { OutsideWorld } from "./outside-world.js";
import { SOURCE_NAMES, within, withinUntilSettled } from "./outside-world.js";
import type { AppliedCommand } from "./replicas.js";

type Machine<D> = StateMachine<D, unknown>;

/** A replay of a log: what was answered to each entry, and what was captured at the end. */
interface Replay {
  readonly replies: readonly string[];
  readonly captured: number;
  /** The first entry after which something was to be noted; null when none was. */
  readonly noted: AppliedCommand<unknown> | null;
}

/** Snapshots that are tried at most. */
const MAX_SNAPSHOTS = 40;

/**
 * Finds out why replicas differ: applies the same log again to new state machines, first with another clock or other random numbers, one of them at a
 * time, and then with a restart from a snapshot in between.
 *
 * @param log everything that was applied up to where it showed.
 * @returns sentences for whoever wrote the state machine.
 */
export async function explainDivergence<D>(
  makeMachine: () => Machine<D>,
  log: readonly AppliedCommand<D>[],
): Promise<string> {
  const base = await replay(makeMachine(), log, worldOf(null).world);
  if (!isSame(base, await replay(makeMachine(), log, worldOf(null).world))) {
    return "Two new state machines to which the same entries are applied, with equal clocks and random numbers, differ: it keeps something outside of itself, such as a variable of its module, or reads something else there.";
  }
  const culprits: string[] = [];
  for (const source of Object.keys(SOURCE_NAMES) as (keyof OutsideWorld)[]) {
    const { world, readings } = worldOf(source);
    const other = await replay(makeMachine(), log, world, () => readings() > 0);
    if (isSame(base, other)) continue;
    const first =
      other.noted === null
        ? ""
        : `, first at entry ${other.noted.index} (command ${shorten(other.noted.text)})`;
    culprits.push(`it reads ${SOURCE_NAMES[source]}${first}`);
  }
  if (culprits.length > 0) {
    return `Applied again with nothing changed but what it reads there, the same entries give another result: ${culprits.join("; ")}. Read it where the command is made, and carry it in the command.`;
  }
  return (await explainBySnapshots(makeMachine, log, base)) ?? explainByReplies(log, base);
}

async function explainBySnapshots<D>(
  makeMachine: () => Machine<D>,
  log: readonly AppliedCommand<D>[],
  base: Replay,
): Promise<string | null> {
  const step = Math.max(1, Math.ceil(log.length / MAX_SNAPSHOTS));
  for (let at = log.length - 1; at > 0; at -= step) {
    const restored = await restoredAfter(makeMachine, log.slice(0, at));
    const rest = log.slice(at);
    const { replies } = await replay(restored, rest, worldOf(null).world);
    const differs = replies.findIndex((reply, i) => reply !== base.replies[at + i]);
    const entry = rest[differs];
    if (entry === undefined) continue;
    return `Restored from a snapshot taken after entry ${log[at - 1]?.index}, it answers ${shorten(replies[differs] as string)} to entry ${entry.index} (command ${shorten(entry.text)}); without, it answers ${shorten(base.replies[at + differs] as string)}. The snapshot leaves out something on which answers depend, or restores it otherwise: the order of insertion in a map counts, too.`;
  }
  return null;
}

function explainByReplies<D>(log: readonly AppliedCommand<D>[], base: Replay): string {
  const off = log.findIndex(({ reply }, i) => reply !== base.replies[i]);
  const entry = log[off];
  if (entry === undefined) {
    return "Applied again, the same entries always give the same result: something changed the state beside apply and restore, such as a read.";
  }
  return `Applied again, the same entries always give ${shorten(base.replies[off] as string)} at entry ${entry.index}, and node ${entry.node} answered ${shorten(entry.reply)}: something changed its state beside apply and restore, such as a read.`;
}

async function restoredAfter<D>(
  makeMachine: () => Machine<D>,
  log: readonly AppliedCommand<D>[],
): Promise<Machine<D>> {
  const machine = makeMachine();
  const { world } = worldOf(null);
  for (const { index, command } of log) within(world, () => machine.apply(index, command));
  const chunks = await chunksOf(machine, world);
  const restored = makeMachine();
  await withinUntilSettled(world, () => restored.restore(oneByOne(chunks)));
  return restored;
}

async function replay<D>(
  machine: Machine<D>,
  log: readonly AppliedCommand<D>[],
  world: OutsideWorld,
  isNoted: () => boolean = () => false,
): Promise<Replay> {
  let noted: AppliedCommand<unknown> | null = null;
  const replies = log.map((entry) => {
    try {
      return canonicalText(within(world, () => machine.apply(entry.index, entry.command)));
    } catch (thrown) {
      return `an error: ${String(thrown)}`;
    } finally {
      if (noted === null && isNoted()) noted = entry;
    }
  });
  return { replies, captured: contentOf(await chunksOf(machine, world)).hash, noted };
}

async function chunksOf<D>(machine: Machine<D>, world: OutsideWorld): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  await withinUntilSettled(world, async () => {
    for await (const chunk of machine.capture().chunks()) chunks.push(chunk.slice());
  });
  return chunks;
}

async function* oneByOne(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

function isSame(one: Replay, other: Replay): boolean {
  return one.captured === other.captured && one.replies.every((reply, i) => reply === other.replies[i]);
}

/** How far clocks move on from one reading to the next where they differ: an expiry of any usual length is passed by some reading. */
const STEP_MS = 1_009;

/** A world in which clocks stand still and chance repeats itself, but for the source that is changed, of which the readings are counted. */
function worldOf(changed: keyof OutsideWorld | null): {
  readonly world: OutsideWorld;
  readonly readings: () => number;
} {
  let readings = 0;
  const time = (source: keyof OutsideWorld, start: number) => (): number => {
    if (source !== changed) return start;
    readings += 1;
    return start + readings * STEP_MS;
  };
  const chance = (source: keyof OutsideWorld): (() => number) => {
    const random = new SeededRandom(source === changed ? 2 : 1);
    return () => {
      if (source === changed) readings += 1;
      return random.next();
    };
  };
  const world = {
    date: time("date", 1_700_000_000_000),
    performance: time("performance", 1_000),
    hrtime: time("hrtime", 1_000),
    random: chance("random"),
    crypto: chance("crypto"),
  };
  return { world, readings: () => readings };
}

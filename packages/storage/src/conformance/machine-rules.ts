import type { LogEntry } from "@seshat/common";
import { BLANK_PAYLOAD, CodecError, StorageError } from "@seshat/common";
import { OpenRaftStateMachine } from "../mem/open-raft-state-machine.js";
import type { StateMachine } from "../state-machine.js";
import { CaseRandom } from "./case-random.js";
import { Mismatch, check, checkEqual, checkFails } from "./check.js";
import { findDifference } from "./difference.js";
import type { ForbiddenSource } from "./environment.js";
import { FORBIDDEN_SOURCES, SOURCE_NAMES, withSource } from "./environment.js";
import { asItIs, bytesOf, restoreFrom } from "./replica.js";
import type { Surround } from "./replica.js";

/** What a case works with. */
export interface Lab<D, R> {
  readonly create: () => Promise<StateMachine<D, R>>;
  readonly commands: readonly D[];
  /** A fresh copy of the commands, equal to `commands` for as long as nobody changes one. */
  readonly again: () => readonly D[];
  readonly seed: number;
}

/** A rule about state machines, and the body of its case. */
export interface MachineRule {
  readonly group: string;
  readonly name: string;
  readonly run: <D, R>(lab: Lab<D, R>) => Promise<void>;
}

/** Applies commands, of which the first stands at index `since`. */
function applyAll<D, R>(
  machine: StateMachine<D, R>,
  commands: readonly D[],
  since = 1,
  surround: Surround = asItIs,
): R[] {
  return commands.map((command, i) => surround(() => machine.apply(since + i, command)));
}

/** Says at which command two replicas came apart. */
function checkAnswers(
  found: readonly unknown[],
  expected: readonly unknown[],
  since: number,
  why: string,
): void {
  for (const [i, answer] of expected.entries()) {
    const difference = findDifference(found[i], answer);
    if (difference === null) continue;
    throw new Mismatch(
      `two replicas answered differently to command ${since + i}${why}: the answer${difference}`,
    );
  }
}

async function checkSource<D, R>({ create, commands }: Lab<D, R>, source: ForbiddenSource): Promise<void> {
  const replica = async (variant: number): Promise<{ answers: R[]; bytes: Uint8Array }> => {
    const surround: Surround = (act) => withSource(source, variant, act);
    const machine = await create();
    const answers = applyAll(machine, commands, 1, surround);
    return {
      answers,
      bytes: await bytesOf(
        surround(() => machine.capture()),
        surround,
      ),
    };
  };
  const [a, b] = [await replica(0), await replica(1)];
  const culprit = `, where nothing differed but ${SOURCE_NAMES[source]}`;
  checkAnswers(b.answers, a.answers, 1, culprit);
  const difference = findDifference(b.bytes, a.bytes);
  check(difference === null, `two replicas came to different states${culprit}: one snapshot${difference}`);
}

function half<T>(items: readonly T[]): [readonly T[], readonly T[]] {
  const middle = Math.floor(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}

export const DETERMINISM: readonly MachineRule[] = [
  {
    group: "determinism",
    name: "the same commands give the same answers and the same state on every replica",
    run: async ({ create, commands, again }) => {
      const [a, b] = [await create(), await create()];
      checkAnswers(applyAll(b, again()), applyAll(a, commands), 1, ", though nothing differed between them");
      checkEqual("the snapshot of the other replica", await bytesOf(b.capture()), await bytesOf(a.capture()));
    },
  },
  ...FORBIDDEN_SOURCES.map((source): MachineRule => ({
    group: "determinism",
    name: `nothing depends on ${SOURCE_NAMES[source]}`,
    run: (lab) => checkSource(lab, source),
  })),
  {
    group: "determinism",
    name: "a command is not changed by being applied: the log holds it, and sends it to others",
    run: async ({ create, commands, again }) => {
      applyAll(await create(), commands);
      checkEqual("the list of commands", commands, again());
    },
  },
];

export const SNAPSHOTS: readonly MachineRule[] = [
  {
    group: "snapshots",
    name: "a state that was restored answers as the one that was captured, and comes to the same bytes",
    run: async ({ create, commands }) => {
      const [before, after] = half(commands);
      const [a, b] = [await create(), await create()];
      applyAll(a, before);
      const bytes = await bytesOf(a.capture());
      await restoreFrom(b, bytes);
      checkEqual("the snapshot of the restored state", await bytesOf(b.capture()), bytes);
      const since = before.length + 1;
      const expected = applyAll(a, after, since);
      checkAnswers(applyAll(b, after, since), expected, since, ", one of which came from a snapshot");
      checkEqual("its snapshot in the end", await bytesOf(b.capture()), await bytesOf(a.capture()));
    },
  },
  {
    group: "snapshots",
    name: "a new state can be captured and restored",
    run: async ({ create, commands }) => {
      const [a, b] = [await create(), await create()];
      const bytes = await bytesOf(a.capture());
      await restoreFrom(b, bytes);
      checkEqual("the snapshot of the restored state", await bytesOf(b.capture()), bytes);
      checkAnswers(applyAll(b, commands), applyAll(a, commands), 1, ", one of which came from a snapshot");
    },
  },
  {
    group: "snapshots",
    name: "a restore replaces all that was there before",
    run: async ({ create, commands }) => {
      const [before, after] = half(commands);
      const [a, b] = [await create(), await create()];
      applyAll(a, before.slice(0, Math.ceil(before.length / 4)));
      applyAll(b, [...before, ...after]);
      const bytes = await bytesOf(a.capture());
      await restoreFrom(b, bytes);
      checkEqual("the snapshot of the restored state", await bytesOf(b.capture()), bytes);
    },
  },
  {
    group: "snapshots",
    name: "bytes are restored however they are cut",
    run: async ({ create, commands }) => {
      const a = await create();
      applyAll(a, commands);
      const bytes = await bytesOf(a.capture());
      for (const pieceBytes of [1, 3, 64, Math.max(1, bytes.length)]) {
        const b = await create();
        await restoreFrom(b, bytes, pieceBytes);
        checkEqual(`the snapshot of a state in pieces of ${pieceBytes}`, await bytesOf(b.capture()), bytes);
      }
    },
  },
  {
    group: "snapshots",
    name: "a capture shows nothing of what is applied after it",
    run: async ({ create, commands }) => {
      const [before, after] = half(commands);
      const [a, b] = [await create(), await create()];
      applyAll(a, before);
      applyAll(b, before);
      const capture = a.capture();
      const expected = await bytesOf(b.capture());
      applyAll(a, after, before.length + 1);
      checkEqual("the capture", await bytesOf(capture), expected);
    },
  },
  {
    group: "snapshots",
    name: "damaged bytes are refused with a CodecError, and the old state stands",
    run: async ({ create, commands, seed }) => {
      const a = await create();
      applyAll(a, commands);
      const bytes = await bytesOf(a.capture());
      const b = await create();
      applyAll(b, half(commands)[0]);
      const before = await bytesOf(b.capture());
      for (const [what, damaged] of damages(bytes, new CaseRandom(seed))) {
        const error = await checkFails(what, () => restoreFrom(b, damaged));
        check(
          error instanceof CodecError,
          `${what} are refused with ${String(error)}, which is no CodecError`,
        );
        checkEqual(`the snapshot after ${what}`, await bytesOf(b.capture()), before);
      }
    },
  },
];

function damages(bytes: Uint8Array, random: CaseRandom): [string, Uint8Array][] {
  const found: [string, Uint8Array][] = [["bytes with one too many", Uint8Array.of(...bytes, 0)]];
  if (bytes.length === 0) return found;
  for (const length of new Set([0, 1, Math.floor(bytes.length / 2), bytes.length - 1])) {
    if (length < bytes.length)
      found.push([`the first ${length} of ${bytes.length} bytes`, bytes.slice(0, length)]);
  }
  for (let n = 0; n < 32; n++) {
    const at = random.integer(0, bytes.length - 1);
    const changed = bytes.slice();
    changed[at] = (changed[at] as number) ^ (1 << random.integer(0, 7));
    found.push([`bytes of which number ${at} changed`, changed]);
  }
  return found;
}

export const RAFT: readonly MachineRule[] = [
  {
    group: "behind Raft",
    name: "commands that stand among other entries, and come again in any way that leaves no gap, take effect once each",
    run: async <D, R>({ create, commands, seed }: Lab<D, R>) => {
      const [a, b] = [await create(), await create()];
      const random = new CaseRandom(seed);
      const machine = new OpenRaftStateMachine<D, R>(b);
      const entries: LogEntry<D>[] = [];
      const expected: (R | undefined)[] = [];
      for (const data of commands) {
        // Other entries stand between, so the indexes of the commands do not always rise by one.
        if (random.chance(0.2)) {
          entries.push({ logId: { term: 1, index: entries.length + 1 }, payload: BLANK_PAYLOAD });
          expected.push(undefined);
        }
        const index = entries.length + 1;
        entries.push({ logId: { term: 1, index }, payload: { type: "normal", data } });
        expected.push(a.apply(index, data));
      }
      const answers: unknown[] = [];
      while (answers.length < entries.length) {
        const from = random.integer(Math.max(0, answers.length - 9), answers.length);
        const to = random.integer(from, Math.min(entries.length, from + 12));
        const given = machine.apply(entries.slice(from, to));
        answers.push(...given.slice(Math.max(0, answers.length - from)));
      }
      checkAnswers(answers, expected, 1, ", to one of which they came again and again");
      checkEqual("its snapshot", await bytesOf(b.capture()), await bytesOf(a.capture()));
    },
  },
  {
    group: "behind Raft",
    name: "no command makes it throw: what makes no sense gets a response that says so",
    run: async ({ create, commands }) => {
      const machine = await create();
      for (const [i, command] of commands.entries()) {
        try {
          machine.apply(i + 1, command);
        } catch (cause) {
          const why = cause instanceof Error ? cause.message : String(cause);
          throw new StorageError("apply", `command ${i + 1}: ${why}`, { cause });
        }
      }
    },
  },
  {
    group: "behind Raft",
    name: "the codec of responses, if there is one, brings each back as it was",
    run: async ({ create, commands }) => {
      const machine = await create();
      const { responseCodec } = machine;
      if (responseCodec === undefined) return;
      for (const [i, response] of applyAll(machine, commands).entries()) {
        const decoded = responseCodec.decode(responseCodec.encode(response));
        checkEqual(`the response to command ${i + 1}`, decoded, response);
      }
    },
  },
];

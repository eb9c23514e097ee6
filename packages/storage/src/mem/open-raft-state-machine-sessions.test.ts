import type { LogEntry, SessionCommand, Snapshot } from "@seshat/common";
import {
  BLANK_PAYLOAD,
  CodecError,
  EMPTY_STORED_MEMBERSHIP,
  SeshatError,
  StorageError,
} from "@seshat/common";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  NO_SECTION,
  TEXT_CODEC,
  allBytes,
  contentOf,
  logId,
  noPause,
  text,
  utf8,
  withoutSessions,
} from "../../test/helpers.js";
import type { ResponseCodec } from "../sessions/response-codec.js";
import { SessionRefusal } from "../sessions/session-refusal.js";
import type { StateCapture, StateMachine } from "../state-machine.js";
import { OpenRaftStateMachine } from "./open-raft-state-machine.js";

type Entry = LogEntry<string>;

function open(index: number, expiresAfter = 100): Entry {
  return { logId: logId(1, index), payload: { type: "openSession", expiresAfter } };
}

function plain(index: number, data: string): Entry {
  return { logId: logId(1, index), payload: { type: "normal", data } };
}

function sent(index: number, session: SessionCommand, data: string): Entry {
  return { logId: logId(1, index), payload: { type: "normal", data, session } };
}

function first(sessionId: number, sequence = 1): SessionCommand {
  return { sessionId, sequence, answeredBelow: 1 };
}

/** Puts one word after the other and answers how many there are. */
class Story implements StateMachine<string, string> {
  readonly responseCodec: ResponseCodec<string> = TEXT_CODEC;
  words: string[] = [];
  broken = false;

  apply(_index: number, data: string): string {
    if (this.broken) throw new RangeError("no such page");
    this.words.push(data);
    return `${this.words.length} words`;
  }

  capture(): StateCapture {
    const content = this.words.join(" ");
    return { chunks: () => [utf8(content)] };
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const content = text(await allBytes(chunks)) as string;
    if (content.endsWith("unreadable")) throw new RangeError("cannot be read");
    this.words = content === "" ? [] : content.split(" ");
  }
}

interface Told {
  readonly story: Story;
  readonly machine: OpenRaftStateMachine<string, string>;
}

function told(...entries: Entry[]): Told {
  const story = new Story();
  const machine = new OpenRaftStateMachine<string, string>(story);
  machine.apply(entries);
  return { story, machine };
}

async function snapshotOf({ machine }: Told): Promise<Snapshot> {
  return machine.snapshotBuilder().buildSnapshot(noPause);
}

async function bytesOf(node: Told): Promise<Uint8Array> {
  return allBytes((await snapshotOf(node)).data.read(0));
}

function refused(problem: SessionRefusal["problem"]): SessionRefusal {
  return new SessionRefusal(problem);
}

describe("commands of sessions", () => {
  test("are applied once however often they are in the log, and answered each time", () => {
    const { story, machine } = told();
    const log = [
      open(1),
      sent(2, first(1), "once"),
      { logId: logId(1, 3), payload: BLANK_PAYLOAD },
      sent(4, first(1), "once"),
      plain(5, "more"),
      plain(6, "more"),
    ];
    expect(machine.apply(log)).toEqual([undefined, "1 words", undefined, "1 words", "2 words", "3 words"]);
    expect(story.words).toEqual(["once", "more", "more"]);
    expect(machine.readAppliedState().lastAppliedLogId).toEqual(logId(1, 6));
  });

  test("of a session that is not there are refused without effect, and advance the last applied entry", () => {
    const { story, machine } = told();
    const log = [sent(1, first(9), "x"), open(2, 1), plain(3, "a"), plain(4, "b"), sent(5, first(2), "y")];
    expect(machine.apply(log)).toEqual([
      refused("expired"),
      undefined,
      "1 words",
      "2 words",
      refused("expired"),
    ]);
    expect(story.words).toEqual(["a", "b"]);
    expect(machine.readAppliedState().lastAppliedLogId).toEqual(logId(1, 5));
  });

  test("that make no sense, like sessions that make none, are answers and stop nothing", async () => {
    const node = told();
    const log = [open(1, 0), open(2), sent(3, { ...first(2), sequence: 0.5 }, "x"), sent(4, first(2), "y")];
    expect(node.machine.apply(log)).toEqual([
      refused("malformed"),
      undefined,
      refused("malformed"),
      "1 words",
    ]);
    await expect(snapshotOf(node)).resolves.toBeDefined();
  });

  test("replayed after a restart over the same objects are skipped like any other", () => {
    const log = [open(1), sent(2, first(1), "once"), sent(3, first(1), "once")];
    const { story, machine } = told(...log);
    expect(machine.apply(log)).toEqual([undefined, undefined, undefined]);
    expect(machine.apply([sent(4, first(1), "once")])).toEqual(["1 words"]);
    expect(story.words).toEqual(["once"]);
  });

  test("that throw stop the node with the entry's name, and can be applied after a restart", async () => {
    const log = [open(1), sent(2, first(1), "once")];
    const node = told(...log.slice(0, 1));
    const before = await bytesOf(node);
    node.story.broken = true;
    const apply = (): unknown => node.machine.apply(log);
    expect(apply).toThrow(StorageError);
    expect(apply).toThrow("storage failed to apply: entry 1-2: no such page");
    expect(node.machine.readAppliedState().lastAppliedLogId).toEqual(logId(1, 1));
    expect(await bytesOf(node)).toEqual(before);
    node.story.broken = false;
    expect(node.machine.apply(log)).toEqual([undefined, "1 words"]);
    expect(node.machine.apply([sent(3, first(1), "once")])).toEqual(["1 words"]);
  });

  test("whose response cannot be encoded stop the node as well", () => {
    const encode = (): never => {
      throw new RangeError("too long");
    };
    const machine = new OpenRaftStateMachine<string, string>({
      responseCodec: { ...TEXT_CODEC, encode },
      apply: () => "x",
      capture: () => ({ chunks: () => [] }),
      restore: () => {},
    });
    const apply = (): unknown => machine.apply([open(1), sent(2, first(1), "a")]);
    expect(apply).toThrow(StorageError);
    expect(apply).toThrow("entry 1-2: too long");
  });
});

describe("sessions in snapshots", () => {
  test("another node that installs one knows what was carried out", async () => {
    const one = told(open(1), sent(2, first(1), "once"));
    const other = told();
    await other.machine.installSnapshot(await snapshotOf(one));
    expect(other.story.words).toEqual(["once"]);
    const log = [sent(2, first(1), "once"), sent(3, first(1), "once"), sent(4, first(1, 2), "twice")];
    expect(other.machine.apply(log)).toEqual([undefined, "1 words", "2 words"]);
    expect(other.story.words).toEqual(["once", "twice"]);
  });

  test("an installed one replaces the sessions there were", async () => {
    const one = told(open(1), plain(2, "a"), plain(3, "b"));
    const other = told(plain(1, "x"), open(2));
    await other.machine.installSnapshot(await snapshotOf(one));
    const log = [sent(4, first(2), "c"), sent(5, first(1), "d")];
    expect(other.machine.apply(log)).toEqual([refused("expired"), "3 words"]);
  });

  test("are of the moment of the capture", async () => {
    const one = told(open(1), sent(2, first(1), "a"));
    const builder = one.machine.snapshotBuilder();
    one.machine.apply([sent(3, first(1, 2), "b"), open(4)]);
    const other = told();
    await other.machine.installSnapshot(await builder.buildSnapshot(noPause));
    expect(other.machine.apply([sent(3, first(1, 2), "c")])).toEqual(["2 words"]);
  });

  test("stand before the application's content", async () => {
    const bytes = await bytesOf(told(plain(1, "hello")));
    // A length, a version, no sessions; then their checksum.
    expect([...bytes.subarray(0, 13)]).toEqual([0, 0, 0, 0, 0, 0, 0, 9, 1, 0, 0, 0, 0]);
    expect(text(bytes.subarray(17))).toBe("hello");
  });

  test.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
    ["damaged sessions", (bytes) => bytes.with(20, 0xff), "the sessions are damaged"],
    ["a section that is cut off", (bytes) => bytes.slice(0, 30), "a section of 64 bytes in a content of 30"],
    ["no section", (bytes) => bytes.slice(0, 7), "1 bytes missing"],
    ["a section that says it is empty", (bytes) => bytes.with(7, 0), "cannot decode sessions"],
    [
      "a content that cannot be restored",
      (bytes) => Uint8Array.of(...bytes.slice(0, -4), ...utf8("unreadable")),
      "cannot be read",
    ],
  ])("after %s the old state and the old sessions stand", async (_, damage, problem) => {
    const { meta, data } = await snapshotOf(told(open(1), plain(2, "a"), sent(3, first(1), "word")));
    const bytes = damage(await allBytes(data.read(0)));
    const node = told(open(1), sent(2, first(1), "mine"));
    const install = node.machine.installSnapshot({ meta, data: contentOf(bytes) });
    await expect(install).rejects.toBeInstanceOf(SeshatError);
    await expect(install).rejects.toThrow(problem);
    expect(node.machine.readAppliedState().lastAppliedLogId).toEqual(logId(1, 2));
    expect(node.machine.apply([sent(3, first(1), "again")])).toEqual(["1 words"]);
    expect(node.story.words).toEqual(["mine"]);
  });

  test("that were used after the snapshot's last entry are refused", async () => {
    const theirs = await snapshotOf(told(open(1), sent(2, first(1), "a")));
    const earlier = { ...theirs.meta, lastLogId: logId(1, 1) };
    const install = told().machine.installSnapshot({ meta: earlier, data: theirs.data });
    await expect(install).rejects.toThrow("a session used at 2, after 1");
  });

  const anyStep = fc.oneof(
    fc.record({ type: fc.constant("open" as const), expiresAfter: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ type: fc.constant("plain" as const) }),
    fc.record({
      type: fc.constant("sent" as const),
      sessionId: fc.integer({ min: 1, max: 20 }),
      sequence: fc.integer({ min: 1, max: 3 }),
      answeredBelow: fc.integer({ min: 1, max: 3 }),
    }),
  );

  test("a node that installed one and a node that applied everything answer alike and write the same bytes", async () => {
    const steps = fc.array(anyStep, { minLength: 1, maxLength: 40, size: "max" });
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(40), async (run, at) => {
        const log = run.map((step, at): Entry => {
          if (step.type === "open") return open(at + 1, step.expiresAfter);
          return step.type === "plain" ? plain(at + 1, `w${at}`) : sent(at + 1, step, `w${at}`);
        });
        const cut = Math.min(at, log.length);
        const whole = told();
        const answers = whole.machine.apply(log);
        const restored = told();
        await restored.machine.installSnapshot(await snapshotOf(told(...log.slice(0, cut))));
        expect(restored.machine.apply(log.slice(cut))).toEqual(answers.slice(cut));
        expect(await bytesOf(restored)).toEqual(await bytesOf(whole));
      }),
    );
  });
});

describe("a state machine without a codec for its responses", () => {
  function mute(): { words: string[]; machine: OpenRaftStateMachine<string, string> } {
    const words: string[] = [];
    const inner: StateMachine<string, string> = {
      apply: (_, data) => `${words.push(data)} words`,
      capture: () => ({ chunks: () => [utf8(words.join(" "))] }),
      restore: async (chunks) => void words.splice(0, words.length, text(await allBytes(chunks)) as string),
    };
    return { words, machine: new OpenRaftStateMachine<string, string>(inner) };
  }

  test("refuses sessions and their commands, and goes on", () => {
    const { words, machine } = mute();
    const answers = machine.apply([open(1), sent(2, first(1), "x"), plain(3, "a")]);
    expect(answers).toEqual([refused("unsupported"), refused("unsupported"), "1 words"]);
    expect(words).toEqual(["a"]);
  });

  test("writes an empty section, and reads its own snapshots", async () => {
    const { machine } = mute();
    machine.apply([open(1), plain(2, "a")]);
    const snapshot = await machine.snapshotBuilder().buildSnapshot(noPause);
    expect(await allBytes(snapshot.data.read(0))).toEqual(Uint8Array.of(...NO_SECTION, 97));
    const { words, machine: other } = mute();
    await other.installSnapshot(snapshot);
    expect(words).toEqual(["a"]);
    expect(other.apply([sent(3, first(1), "x")])).toEqual([refused("unsupported")]);
  });

  test("and one with a codec do not read each other's snapshots: they would answer differently", async () => {
    const { words, machine } = mute();
    await expect(machine.installSnapshot(await snapshotOf(told(plain(1, "a"))))).rejects.toThrow(
      "this state machine has no codec for responses",
    );
    expect(words).toEqual([]);
    const meta = { lastLogId: logId(1, 1), lastMembership: EMPTY_STORED_MEMBERSHIP, snapshotId: "theirs" };
    const theirs = { meta, data: contentOf(withoutSessions(utf8("a"))) };
    await expect(told().machine.installSnapshot(theirs)).rejects.toBeInstanceOf(CodecError);
  });
});

import type { Request, Response } from "@seshat/common";
import { CodecError } from "@seshat/common";
import { crc32 } from "@seshat/common/binary";
import { describe, expect, test } from "vitest";
import { verdict } from "../../test/conformance-support.js";
import { TEXT_CODEC, allBytes, text, utf8 } from "../../test/helpers.js";
import { KeyValueStateMachine } from "../kv/key-value-state-machine.js";
import { encodeOperation } from "../kv/operation-codec.js";
import type { ResponseCodec } from "../sessions/response-codec.js";
import type { StateCapture, StateMachine } from "../state-machine.js";
import type { StateMachineFactory } from "./state-machine-conformance.js";
import { stateMachineConformance } from "./state-machine-conformance.js";

const keyValue: StateMachineFactory<Request, Response> = {
  create: () => new KeyValueStateMachine(),
  command: (random) => {
    if (random.chance(0.1)) return { data: random.bytes(random.integer(0, 20)) };
    const key = utf8(`k${random.integer(0, 20)}`);
    if (random.chance(0.3)) return { data: encodeOperation({ type: "del", keys: [key] }) };
    return { data: encodeOperation({ type: "set", key, value: random.bytes(random.integer(0, 40)) }) };
  },
};

interface Command {
  word: string;
}

/** Words in the order in which they came, once each. Correct, and made so that each rule can be broken by one member. */
class Words implements StateMachine<Command, string> {
  words: string[] = [];
  readonly responseCodec: ResponseCodec<string> = TEXT_CODEC;

  apply(_index: number, { word }: Command): string {
    if (!this.words.includes(word)) this.words.push(word);
    return `${word} ${this.words.length}`;
  }

  capture(): StateCapture {
    return framed(JSON.stringify(this.words));
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    this.words = JSON.parse(unframed(await allBytes(chunks))) as string[];
  }
}

function framed(content: string): StateCapture {
  const bytes = utf8(content);
  return { chunks: () => [bytes, sum(bytes)] };
}

function sum(bytes: Uint8Array): Uint8Array {
  const four = new Uint8Array(4);
  new DataView(four.buffer).setUint32(0, crc32(bytes));
  return four;
}

function unframed(bytes: Uint8Array): string {
  const content = bytes.subarray(0, -4);
  if (bytes.length < 4 || sum(content).some((byte, i) => byte !== bytes[content.length + i])) {
    throw new CodecError("words", 0, "the checksum is wrong");
  }
  return text(content) as string;
}

function factoryOf(create: () => StateMachine<Command, string>): StateMachineFactory<Command, string> {
  return { create, command: (random) => ({ word: `w${random.integer(0, 30)}` }) };
}

/** A machine that does something else with each command. */
const applying = (apply: (machine: Words, index: number, command: Command) => string) => (): Words =>
  new (class extends Words {
    override apply(index: number, command: Command): string {
      return apply(this, index, command);
    }
  })();

const plain = (machine: Words, index: number, command: Command): string =>
  Words.prototype.apply.call(machine, index, command);

const withMembers = (members: (machine: Words) => Partial<StateMachine<Command, string>>) => (): Words => {
  const machine = new Words();
  return Object.assign<Words, object>(machine, members(machine));
};

let made = 0;

const BROKEN: readonly (readonly [what: string, rule: string, create: () => Words, says: RegExp])[] = [
  [
    "knows which replica it is",
    "the same commands give the same answers and the same state on every replica",
    () => {
      made += 1;
      const id = made;
      return applying((machine, index, command) => `${id}${plain(machine, index, command)}`)();
    },
    /^two replicas answered differently to command 1, though nothing differed/,
  ],
  [
    "answers with the time",
    "nothing depends on the time of day (Date.now() or new Date())",
    applying((machine, index, command) =>
      index === 17 ? String(Date.now()) : plain(machine, index, command),
    ),
    /^two replicas answered differently to command 17, where nothing differed but the time of day \(Date\.now\(\)/,
  ],
  [
    "keeps the date",
    "nothing depends on the time of day (Date.now() or new Date())",
    applying((machine, index, command) => {
      machine.words.push(new Date().toISOString());
      return `${index}${command.word}`;
    }),
    /^two replicas came to different states, where nothing differed but the time of day/,
  ],
  [
    "writes the date into its snapshots",
    "nothing depends on the time of day (Date.now() or new Date())",
    withMembers((machine) => ({
      capture: () => ({
        *chunks() {
          yield utf8(JSON.stringify([machine.words, Date.now()]));
        },
      }),
    })),
    /^two replicas came to different states/,
  ],
  [
    "draws lots",
    "nothing depends on Math.random()",
    applying((machine, index, command) => (Math.random() < 0.5 ? "heads" : plain(machine, index, command))),
    /command 1, where nothing differed but Math\.random\(\)/,
  ],
  [
    "measures time",
    "nothing depends on performance.now()",
    applying((machine, index, command) => `${plain(machine, index, command)} in ${performance.now()}`),
    /performance\.now\(\)/,
  ],
  [
    "draws ids",
    "nothing depends on random numbers of crypto",
    applying((machine, _, { word }) => {
      machine.words.push(crypto.randomUUID());
      return word;
    }),
    /random numbers of crypto/,
  ],
  [
    "draws bytes",
    "nothing depends on random numbers of crypto",
    applying((_, __, { word }) => `${word}${crypto.getRandomValues(new Uint8Array(1))[0]}`),
    /random numbers of crypto/,
  ],
  [
    "trims the commands it is given",
    "a command is not changed by being applied: the log holds it, and sends it to others",
    applying((machine, index, command) => {
      const answer = plain(machine, index, command);
      command.word = "";
      return answer;
    }),
    /^the list of commands\[0\]\.word is "", not "w/,
  ],
  [
    "forgets its oldest word in each snapshot",
    "a state that was restored answers as the one that was captured, and comes to the same bytes",
    withMembers((machine) => ({ capture: () => framed(JSON.stringify(machine.words.slice(1))) })),
    /^the snapshot of the restored state has/,
  ],
  [
    "keeps beside its state how many commands there were",
    "a state that was restored answers as the one that was captured, and comes to the same bytes",
    () => {
      let count = 0;
      return applying((machine, index, command) => {
        count += 1;
        return `${count}${plain(machine, index, command)}`;
      })();
    },
    /^two replicas answered differently to command 101, one of which came from a snapshot/,
  ],
  [
    "cannot restore nothing",
    "a new state can be captured and restored",
    withMembers((machine) => ({
      restore: async (chunks) => {
        await Words.prototype.restore.call(machine, chunks);
        if (machine.words.length === 0) machine.words = [""];
      },
    })),
    /^the snapshot of the restored state/,
  ],
  [
    "adds what it restores to what it has",
    "a restore replaces all that was there before",
    withMembers((machine) => ({
      restore: async (chunks) => {
        const before = machine.words;
        await Words.prototype.restore.call(machine, chunks);
        machine.words = [...new Set([...machine.words, ...before])];
      },
    })),
    /^the snapshot of the restored state/,
  ],
  [
    "reads its first chunk only",
    "bytes are restored however they are cut",
    withMembers((machine) => ({
      restore: async (chunks) => {
        for await (const chunk of chunks) {
          machine.words = JSON.parse(unframed(chunk)) as string[];
          return;
        }
      },
    })),
    /CodecError/,
  ],
  [
    "captures when it writes",
    "a capture shows nothing of what is applied after it",
    withMembers((machine) => ({
      capture: () => ({
        *chunks() {
          yield* framed(JSON.stringify(machine.words)).chunks() as Iterable<Uint8Array>;
        },
      }),
    })),
    /^the capture has/,
  ],
  [
    "takes in whatever it can parse",
    "damaged bytes are refused with a CodecError, and the old state stands",
    withMembers((machine) => ({
      capture: () => ({ chunks: () => [utf8(JSON.stringify(machine.words))] }),
      restore: async (chunks) => {
        try {
          machine.words = JSON.parse(text(await allBytes(chunks)) ?? "") as string[];
        } catch {
          throw new CodecError("words", 0, "no JSON");
        }
      },
    })),
    /^bytes of which number \d+ changed was accepted/,
  ],
  [
    "says of damage what its parser says",
    "damaged bytes are refused with a CodecError, and the old state stands",
    withMembers((machine) => ({
      restore: async (chunks) => {
        machine.words = JSON.parse(text(await allBytes(chunks)) ?? "") as string[];
      },
    })),
    /which is no CodecError/,
  ],
  [
    "is empty before it is restored",
    "damaged bytes are refused with a CodecError, and the old state stands",
    withMembers((machine) => ({
      restore: (chunks) => {
        machine.words = [];
        return Words.prototype.restore.call(machine, chunks);
      },
    })),
    /^the snapshot after /,
  ],
  [
    "wants indexes that rise by one",
    "commands that stand among other entries, and come again in any way that leaves no gap, take effect once each",
    () => {
      let next = 0;
      return applying((machine, index, command) => {
        next = next === 0 ? index : next + 1;
        if (index !== next) throw new RangeError(`${index} came, and not ${next}`);
        return plain(machine, index, command);
      })();
    },
    /RangeError: \d+ came, and not \d+/,
  ],
  [
    "throws at a word that it does not like",
    "no command makes it throw: what makes no sense gets a response that says so",
    applying((machine, index, command) => {
      if (command.word === "w7") throw new RangeError("w7");
      return plain(machine, index, command);
    }),
    /StorageError: storage failed to apply: command \d+: w7/,
  ],
  [
    "keeps less of a response than it gives",
    "the codec of responses, if there is one, brings each back as it was",
    withMembers(() => ({
      responseCodec: {
        encode: (response) => utf8(response.slice(0, 3)),
        decode: (bytes) => TEXT_CODEC.decode(bytes),
      },
    })),
    /^the response to command \d+ is /,
  ],
];

describe("the key-value state machine", () => {
  for (const { group, name, run } of stateMachineConformance(keyValue))
    test(`${group}: ${name}`, async () => {
      await expect(run()).resolves.toBeUndefined();
    });
});

describe("a state machine of words, of which the broken ones are made", () => {
  for (const { group, name, run } of stateMachineConformance(factoryOf(() => new Words()))) {
    test(`${group}: ${name}`, async () => {
      await expect(run()).resolves.toBeUndefined();
    });
  }
});

describe("the conformance suite of state machines", () => {
  test.each(BROKEN)("a state machine that %s is caught: %s", async (_, rule, create, says) => {
    expect(await verdict(stateMachineConformance(factoryOf(create)), rule)).toMatch(says);
  });

  test("every case is shown to fail", () => {
    const names = stateMachineConformance(keyValue).map(({ name }) => name);
    expect(names.filter((name) => !BROKEN.some(([, rule]) => rule === name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  test("clocks and random numbers are what they were, also after a failure", async () => {
    const sources = (): unknown[] =>
      (
        [
          [globalThis, "Date"],
          [Date, "now"],
          [Math, "random"],
          [performance, "now"],
          [crypto, "randomUUID"],
          [crypto, "getRandomValues"],
        ] as const
      ).map(([holder, name]) => Reflect.get(holder, name) as unknown);
    const before = sources();
    const broken = factoryOf(
      applying(() => {
        throw new Error("no");
      }),
    );
    for (const { run } of stateMachineConformance(broken)) await run().catch(() => {});
    expect(sources()).toEqual(before);
    expect(Object.hasOwn(performance, "now")).toBe(false);
  });

  test("a date that is said in full stays what it is", async () => {
    const dated = factoryOf(
      applying(
        (machine, index, command) =>
          `${new Date(2020, 1, index).toISOString()} ${Date.UTC(2020)} ${plain(machine, index, command)}`,
      ),
    );
    expect(
      await verdict(
        stateMachineConformance(dated),
        "nothing depends on the time of day (Date.now() or new Date())",
      ),
    ).toBeNull();
  });

  test.each(["commands", "timeoutMs"])("%s that is none is refused", (option) => {
    expect(() => stateMachineConformance(keyValue, { [option]: 0 })).toThrow(`options.${option} is 0`);
  });
});

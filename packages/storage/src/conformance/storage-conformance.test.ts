import type {
  BytesTypeConfig,
  LogEntry,
  LogId,
  Request,
  SnapshotData,
  StoredMembership,
} from "@seshat/common";
import { ZERO_LOG_ID } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { but, memFactory, verdict } from "../../test/conformance-support.js";
import { allBytes, contentOf } from "../../test/helpers.js";
import type { RaftStateMachine } from "../traits/raft-state-machine.js";
import type { RaftStorage } from "../traits/raft-storage.js";
import { ConformanceError } from "./conformance-case.js";
import { storageConformance } from "./storage-conformance.js";
import type { OpenStorage } from "./storage-factory.js";

type Log = RaftStorage<BytesTypeConfig>;
type Machine = RaftStateMachine<BytesTypeConfig>;
type Open = OpenStorage<BytesTypeConfig>;
type Entry = LogEntry<Request>;
type Break = (open: Open, life: number) => Open;

const log =
  (changes: (inner: Log) => Partial<Log>): Break =>
  (open) => ({
    ...open,
    storage: but(open.storage, changes),
  });

/** Changes both the writer and the readers that it makes. */
const reads = (readEntries: (inner: Log, since: number, upto: number) => readonly Entry[]): Break =>
  log((inner) => ({
    readEntries: (since, upto) => readEntries(inner, since, upto),
    logReader: () => but(inner, () => ({ readEntries: (since, upto) => readEntries(inner, since, upto) })),
  }));

const machine =
  (changes: (inner: Machine) => Partial<Machine>): Break =>
  (open) => ({
    ...open,
    stateMachine: but(open.stateMachine, changes),
  });

const secondLife =
  (broken: Break): Break =>
  (open, life) =>
    life > 1 ? broken(open, life) : open;

const read = (inner: Log, since: number, upto: number): readonly Entry[] =>
  inner.readEntries(since, upto) as readonly Entry[];

const membershipsOf = (inner: Log, since: number, upto: number): readonly StoredMembership[] =>
  (since > upto ? [] : read(inner, since, upto)).flatMap(({ logId, payload }) =>
    payload.type === "membership" ? [{ logId, membership: payload.membership }] : [],
  );

const endOf = async (inner: Log): Promise<number> => (await inner.readLogState()).lastLogId.index;

const never =
  <T>(value: T): (() => T) =>
  () =>
    value;

const swallow = (call: () => unknown): void => {
  try {
    void call();
  } catch {
    // It should have said so.
  }
};

/** A store that ... is caught by ... */
const BROKEN: readonly (readonly [what: string, rule: string, broken: Break])[] = [
  [
    "is born with an identity",
    "a new store belongs to nobody",
    log(() => ({ readIdentity: never({ clusterId: "x", nodeId: 1, incarnation: 1 }) })),
  ],
  [
    "keeps names in Latin letters only",
    "an identity that was saved is read back, whatever its cluster is called",
    log((inner) => ({
      saveIdentity: (id) => inner.saveIdentity({ ...id, clusterId: id.clusterId.replaceAll(/[^\w]/gu, "?") }),
    })),
  ],
  [
    "says nothing of a second identity",
    "a second identity is refused, and the first stands",
    log((inner) => ({ saveIdentity: (id) => swallow(() => inner.saveIdentity(id)) })),
  ],
  [
    "is born with a vote",
    "a new store has no vote",
    log(() => ({ readVote: never({ term: 0, votedFor: null, committed: false }) })),
  ],
  [
    "forgets that a vote won",
    "the last vote that was saved is read back, by readers too",
    log((inner) => ({ saveVote: (vote) => inner.saveVote({ ...vote, committed: false }) })),
  ],
  [
    "truncates with each vote",
    "a vote changes nothing in the log",
    log((inner) => ({
      saveVote: (vote) => {
        void inner.saveVote(vote);
        return inner.truncate(3);
      },
    })),
  ],
  [
    "begins its log at 1",
    "a new log is empty, and nothing of it was purged",
    log((inner) => ({
      readLogState: () => {
        const state = inner.readLogState() as { lastPurgedLogId: LogId; lastLogId: LogId };
        return state.lastLogId.index === 0 ? { ...state, lastLogId: { term: 0, index: 1 } } : state;
      },
    })),
  ],
  [
    "loses which session a command is of",
    "entries of every kind are read back as they were appended",
    reads((inner, since, upto) =>
      read(inner, since, upto).map((entry) =>
        entry.payload.type === "normal"
          ? { ...entry, payload: { type: "normal", data: entry.payload.data } }
          : entry,
      ),
    ),
  ],
  [
    "says the term of the first entry of an append",
    "the log ends with the last entry that was appended",
    log((inner) => {
      let term = 0;
      return {
        append: (entries, done) => {
          term = entries[0]?.logId.term ?? 0;
          return inner.append(entries, done);
        },
        readLogState: () => {
          const state = inner.readLogState() as { lastPurgedLogId: LogId; lastLogId: LogId };
          return { ...state, lastLogId: { term, index: state.lastLogId.index } };
        },
      };
    }),
  ],
  [
    "shows entries once they are durable only",
    "entries can be read when append ends, whether they are durable or not",
    log((inner) => ({
      append: (entries, done) => {
        setTimeout(() => void inner.append(entries, done), 1);
      },
    })),
  ],
  [
    "reports each append twice",
    "each append is reported durable exactly once, though the next begins before",
    log((inner) => ({
      append: (entries, done) =>
        inner.append(entries, (error) => {
          done(error);
          done(error);
        }),
    })),
  ],
  [
    "never reports an append",
    "each append is reported durable exactly once, though the next begins before",
    log((inner) => ({ append: (entries) => inner.append(entries, () => {}) })),
  ],
  [
    "fills holes",
    "entries that would leave a hole are refused, and change nothing",
    log((inner) => ({
      append: (entries, done) => {
        const { lastLogId } = inner.readLogState() as { lastLogId: LogId };
        const fixed = entries.map((entry, i) => ({
          ...entry,
          logId: { ...entry.logId, index: lastLogId.index + 1 + i },
        }));
        return inner.append(fixed, done);
      },
    })),
  ],
  [
    "overwrites",
    "entries that would overwrite others are refused, and change nothing",
    log((inner) => ({
      append: (entries, done) => {
        const { lastLogId } = inner.readLogState() as { lastLogId: LogId };
        const index = entries[0]?.logId.index ?? 0;
        if (index <= lastLogId.index) void inner.truncate(index);
        return inner.append(entries, done);
      },
    })),
  ],
  [
    "reads up to the end of a range, without it",
    "a range is read with both its ends, and an empty one is empty",
    reads((inner, since, upto) => read(inner, since, Math.max(since, upto - 1))),
  ],
  [
    "skips what it does not give at once",
    "a read of many entries gives the first of them, at least one, and in the end all",
    reads((inner, since, upto) =>
      upto - since < 2000 ? read(inner, since, upto) : read(inner, upto - 1999, upto),
    ),
  ],
  [
    "gives nothing when too much is asked for",
    "a read of many entries gives the first of them, at least one, and in the end all",
    reads((inner, since, upto) => (upto - since < 2000 ? read(inner, since, upto) : [])),
  ],
  [
    "gives what it has",
    "a read of entries that are not there is an error",
    reads((inner, since, upto) =>
      read(inner, since, Math.min(upto, (inner.readLogState() as { lastLogId: LogId }).lastLogId.index)),
    ),
  ],
  [
    "keeps the first hint",
    "a hint of what is committed is the last one saved, if it is kept",
    log((inner) => ({
      saveCommitted: (hint) => {
        if (inner.readCommitted?.() === null) return inner.saveCommitted?.(hint);
      },
    })),
  ],
  [
    "saves hints that it cannot read",
    "a hint of what is committed is the last one saved, if it is kept",
    log((inner) => but(inner, () => ({})) && ({ readCommitted: undefined } as unknown as Partial<Log>)),
  ],
  [
    "finds no memberships",
    "the memberships among some entries are found as a read of these entries finds them, if they are looked for at all",
    log(() => ({ readMemberships: () => [] })),
  ],
  [
    "finds memberships beyond what was asked for",
    "the memberships among some entries are found as a read of these entries finds them, if they are looked for at all",
    log((inner) => ({ readMemberships: async (since) => membershipsOf(inner, since, await endOf(inner)) })),
  ],
  [
    "finds memberships among entries that are not there",
    "the memberships among some entries are found as a read of these entries finds them, if they are looked for at all",
    log((inner) => ({
      readMemberships: async (since, upto) => membershipsOf(inner, since, Math.min(upto, await endOf(inner))),
    })),
  ],
  [
    "gives readers a copy",
    "a reader sees what is written after it was made",
    log((inner) => ({
      logReader: () => {
        const cache = new Map<number, Entry>();
        return but(inner, () => ({
          readEntries: (since, upto) =>
            read(inner, since, upto).map((entry) => {
              const held = cache.get(entry.logId.index) ?? entry;
              cache.set(entry.logId.index, held);
              return held;
            }),
        }));
      },
    })),
  ],
  [
    "mixes up readers that wait",
    "several readers work beside the writer, and each gets what it asked for",
    log((inner) => {
      let asked = 0;
      return {
        logReader: () =>
          but(inner, () => ({
            readEntries: async (since, upto) => {
              asked = since;
              await Promise.resolve();
              return inner.readEntries(asked, upto);
            },
          })),
      };
    }),
  ],
  [
    "truncates after the entry",
    "a truncation removes the entry that it names and all after it",
    log((inner) => ({ truncate: (since) => inner.truncate(since + 1) })),
  ],
  [
    "never truncates the first entry",
    "a truncation from the first entry on leaves an empty log, which begins anew",
    log((inner) => ({ truncate: (since) => inner.truncate(Math.max(2, since)) })),
  ],
  [
    "truncates its last entry at least",
    "a truncation past the end changes nothing",
    log((inner) => ({
      truncate: (since) => {
        const { lastLogId } = inner.readLogState() as { lastLogId: LogId };
        return inner.truncate(Math.max(1, Math.min(since, lastLogId.index)));
      },
    })),
  ],
  [
    "says nothing of a truncation of what was purged",
    "a truncation of what was purged is refused, and changes nothing",
    log((inner) => ({ truncate: (since) => swallow(() => inner.truncate(since)) })),
  ],
  [
    "keeps what it truncated",
    "what is appended after a truncation stands alone: nothing of what stood there comes back",
    log((inner) => {
      let ghosts: readonly Entry[] = [];
      return {
        truncate: (since) => {
          const { lastLogId } = inner.readLogState() as { lastLogId: LogId };
          ghosts = read(inner, since, lastLogId.index);
          return inner.truncate(since);
        },
        readEntries: (since, upto) => {
          const ghost = ghosts.find((entry) => entry.logId.index === since);
          const { lastLogId } = inner.readLogState() as { lastLogId: LogId };
          return since > lastLogId.index && ghost !== undefined ? [ghost] : inner.readEntries(since, upto);
        },
      };
    }),
  ],
  [
    "forgets the purge with the last entry",
    "a truncation of all that was not purged ends the log with what was",
    log((inner) => ({
      readLogState: () => {
        const state = inner.readLogState() as { lastPurgedLogId: LogId; lastLogId: LogId };
        const isEmpty = state.lastLogId.index === state.lastPurgedLogId.index;
        return isEmpty ? { ...state, lastLogId: ZERO_LOG_ID } : state;
      },
    })),
  ],
  [
    "purges up to the entry, without it",
    "a purge removes the entry that it names and all before it, remembers it, and leaves the rest",
    log((inner) => ({ purge: (upto) => inner.purge({ ...upto, index: upto.index - 1 }) })),
  ],
  [
    "goes on reading what it purged",
    "what was purged cannot be read",
    log((inner) => {
      const kept = new Map<number, Entry>();
      return {
        append: (entries, done) => {
          for (const entry of entries) kept.set(entry.logId.index, entry);
          return inner.append(entries, done);
        },
        readEntries: (since, upto) =>
          Array.from({ length: Math.max(0, upto - since + 1) }, (_, i) => kept.get(since + i) as Entry),
      };
    }),
  ],
  [
    "forgets a purge of everything",
    "a purge of the whole log is remembered by it, and the log goes on after it",
    log((inner) => ({
      readLogState: () => {
        const state = inner.readLogState() as { lastPurgedLogId: LogId; lastLogId: LogId };
        const isEmpty = state.lastLogId.index === state.lastPurgedLogId.index;
        return isEmpty ? { lastPurgedLogId: ZERO_LOG_ID, lastLogId: ZERO_LOG_ID } : state;
      },
    })),
  ],
  [
    "purges no further than its end",
    "a purge past the end empties the log, which goes on after it",
    log((inner) => ({
      purge: (upto) => {
        const { lastLogId } = inner.readLogState() as { lastLogId: LogId };
        return inner.purge(upto.index > lastLogId.index ? lastLogId : upto);
      },
    })),
  ],
  [
    "takes the last purge for the newest",
    "a purge of what was purged before changes nothing",
    log((inner) => {
      let last: LogId | null = null;
      return {
        purge: (upto) => {
          last = upto;
          return inner.purge(upto);
        },
        readLogState: () => {
          const state = inner.readLogState() as { lastPurgedLogId: LogId; lastLogId: LogId };
          return { ...state, lastPurgedLogId: last ?? state.lastPurgedLogId };
        },
      };
    }),
  ],
  [
    "has applied something from the start",
    "a new state machine has applied nothing, and has no snapshot",
    machine((inner) => ({
      readAppliedState: () =>
        ({ ...(inner.readAppliedState() as object), lastAppliedLogId: { term: 0, index: 1 } }) as never,
    })),
  ],
  [
    "applies every command as blank but the first",
    "each command that is applied shows in the state, and counts as the last applied entry",
    machine((inner) => ({
      apply: (entries) =>
        inner.apply(
          entries.map((entry) =>
            entry.logId.index === 1 ? entry : { ...entry, payload: { type: "blank" } },
          ),
        ),
    })),
  ],
  [
    "answers commands only",
    "each entry has its answer, undefined for those without a command, and all count as applied",
    machine((inner) => ({
      apply: (entries) =>
        (inner.apply(entries) as unknown[]).filter((answer) => answer !== undefined) as never,
    })),
  ],
  [
    "puts the membership at the last entry",
    "the membership is the last one applied, with its entry",
    machine((inner) => ({
      readAppliedState: () => {
        const { lastAppliedLogId, lastMembership } = inner.readAppliedState() as {
          lastAppliedLogId: LogId;
          lastMembership: object;
        };
        return { lastAppliedLogId, lastMembership: { ...lastMembership, logId: lastAppliedLogId } } as never;
      },
    })),
  ],
  [
    "applies what is appended",
    "what stands in the log only is not applied, and what is applied does not stand in the log",
    (open) => ({
      ...open,
      storage: but(open.storage, (inner) => ({
        append: async (entries, done) => {
          await open.stateMachine.apply(entries);
          await inner.append(entries, done);
        },
      })),
    }),
  ],
  [
    "answers again to what was applied",
    "entries that were applied before are skipped, and answered with undefined",
    machine((inner) => {
      const answers = new Map<number, unknown>();
      return {
        apply: async (entries) => {
          const given = await inner.apply(entries);
          return given.map((answer, i) => {
            const index = entries[i]?.logId.index ?? 0;
            if (answer !== undefined) answers.set(index, answer);
            return answers.get(index) as never;
          });
        },
      };
    }),
  ],
  [
    "drops all that comes with old entries",
    "of entries old and new the new ones are applied",
    machine((inner) => ({
      apply: async (entries) => {
        const { lastAppliedLogId } = await inner.readAppliedState();
        const isOld = (entries[0]?.logId.index ?? 0) <= lastAppliedLogId.index;
        return isOld ? entries.map(() => undefined) : inner.apply(entries);
      },
    })),
  ],
  [
    "steps over gaps",
    "a gap, before the entries or between them, is an error, and nothing is applied",
    machine((inner) => ({
      apply: async (entries) => {
        const { lastAppliedLogId } = await inner.readAppliedState();
        const blanks: Entry[] = [];
        for (let index = lastAppliedLogId.index + 1; index < (entries[0]?.logId.index ?? 0); index++) {
          blanks.push({ logId: { term: entries[0]?.logId.term ?? 0, index }, payload: { type: "blank" } });
        }
        return (await inner.apply([...blanks, ...entries])).slice(blanks.length);
      },
    })),
  ],
  [
    "applies half of a call before it finds the gap",
    "a gap, before the entries or between them, is an error, and nothing is applied",
    machine((inner) => ({
      apply: async (entries) => {
        const answers = [];
        for (const entry of entries) answers.push(...(await inner.apply([entry])));
        return answers;
      },
    })),
  ],
  [
    "numbers its answers by call",
    "the same entries give the same answers and the same state, however they are cut into calls",
    machine((inner) => ({
      apply: async (entries) =>
        (await inner.apply(entries)).map((answer, i) =>
          answer === undefined ? undefined : ({ i, answer } as never),
        ),
    })),
  ],
  [
    "applies a command of a session each time",
    "a command that its session carried out is not applied again, or sessions are refused as unsupported",
    machine((inner) => ({
      apply: (entries) => {
        const withoutSession = ({ logId, payload }: Entry): Entry => ({
          logId,
          payload: payload.type === "normal" ? { type: "normal", data: payload.data } : payload,
        });
        return inner.apply(entries.map(withoutSession));
      },
    })),
  ],
  [
    "describes snapshots by what is applied when they are done",
    "a snapshot carries the last applied entry and the membership of its moment",
    machine((inner) => ({
      snapshotBuilder: async () => {
        const builder = await inner.snapshotBuilder();
        return {
          buildSnapshot: async (pause) => {
            const snapshot = await builder.buildSnapshot(pause);
            return {
              ...snapshot,
              meta: {
                ...snapshot.meta,
                lastMembership: { ...snapshot.meta.lastMembership, logId: snapshot.meta.lastLogId },
              },
            };
          },
        };
      },
    })),
  ],
  [
    "keeps its first snapshot",
    "a snapshot that was built is the current one, in place of an older one",
    machine((inner) => {
      let first: Awaited<ReturnType<Machine["readCurrentSnapshot"]>> = null;
      return { readCurrentSnapshot: async () => (first ??= await inner.readCurrentSnapshot()) };
    }),
  ],
  [
    "captures when it builds",
    "what is applied while a snapshot is built does not show in it",
    machine((inner) => ({
      snapshotBuilder: () => ({
        buildSnapshot: async (pause) => (await inner.snapshotBuilder()).buildSnapshot(pause),
      }),
    })),
  ],
  [
    "reads from the start, whatever the offset",
    "the content is read from any offset, by several readers at once, and has the size that it says",
    machine((inner) => ({
      snapshotBuilder: async () => {
        const builder = await inner.snapshotBuilder();
        return {
          buildSnapshot: async (pause) => {
            const { meta, data } = await builder.buildSnapshot(pause);
            return { meta, data: { size: data.size, read: () => data.read(0) } };
          },
        };
      },
    })),
  ],
  [
    "closes the content that is replaced",
    "a content can be read for as long as somebody holds it, also when newer ones took its place",
    machine((inner) => {
      let current: SnapshotData | null = null;
      return {
        snapshotBuilder: async () => {
          const builder = await inner.snapshotBuilder();
          return {
            buildSnapshot: async (pause) => {
              const { meta, data } = await builder.buildSnapshot(pause);
              const mine: SnapshotData = {
                size: data.size,
                read: (offset) => {
                  if (current !== mine) throw new Error("closed");
                  return data.read(offset);
                },
              };
              current = mine;
              return { meta, data: mine };
            },
          };
        },
      };
    }),
  ],
  [
    "takes what was built last for the newest",
    "a build that ends late does not take the place of a newer snapshot",
    machine((inner) => {
      let built: Awaited<ReturnType<Machine["readCurrentSnapshot"]>> = null;
      return {
        snapshotBuilder: async () => {
          const builder = await inner.snapshotBuilder();
          return { buildSnapshot: async (pause) => (built = await builder.buildSnapshot(pause)) };
        },
        readCurrentSnapshot: async () => built ?? inner.readCurrentSnapshot(),
      };
    }),
  ],
  [
    "keeps hold of the memory it was given",
    "a snapshot that was received and installed is the state, the applied entry, the membership and the current snapshot",
    machine(() => ({
      receiveSnapshot: () => {
        const parts: Uint8Array[] = [];
        return {
          write: (chunk) => void parts.push(chunk),
          finish: async () => contentOf(await allBytes(parts)),
          discard: () => {},
        };
      },
    })),
  ],
  [
    "keeps its old current snapshot when one is installed",
    "a snapshot that was received and installed is the state, the applied entry, the membership and the current snapshot",
    machine((inner) => ({
      readCurrentSnapshot: () => null,
      installSnapshot: (snapshot, pause) => inner.installSnapshot(snapshot, pause),
    })),
  ],
  [
    "installs all but what it stands for",
    "both sides of a transfer answer the same from then on",
    machine((inner) => ({
      installSnapshot: (snapshot, pause) =>
        inner.installSnapshot(
          {
            ...snapshot,
            meta: {
              ...snapshot.meta,
              lastLogId: { ...snapshot.meta.lastLogId, index: snapshot.meta.lastLogId.index + 1 },
            },
          },
          pause,
        ),
    })),
  ],
  [
    "installs its own contents only",
    "a content that another store made, or none, can be installed",
    machine((inner) => ({
      installSnapshot: (snapshot, pause) => {
        if (snapshot.data.constructor === Object) throw new Error("not mine");
        return inner.installSnapshot(snapshot, pause);
      },
    })),
  ],
  [
    "refuses what is not newer",
    "the current snapshot can be installed again",
    machine((inner) => ({
      installSnapshot: async (snapshot, pause) => {
        const { lastAppliedLogId } = await inner.readAppliedState();
        if (snapshot.meta.lastLogId.index <= lastAppliedLogId.index) throw new Error("old");
        await inner.installSnapshot(snapshot, pause);
      },
    })),
  ],
  [
    "passes over an older snapshot",
    "a snapshot that is older than what is applied is refused, and the state stands",
    machine((inner) => ({
      installSnapshot: async (snapshot, pause) => {
        await Promise.resolve(inner.installSnapshot(snapshot, pause)).catch(() => {});
      },
    })),
  ],
  [
    "says of damage that the disk failed",
    "damaged content is refused with a CodecError, the old state stands, and the store goes on",
    machine((inner) => ({
      installSnapshot: async (snapshot, pause) => {
        await Promise.resolve(inner.installSnapshot(snapshot, pause)).catch(() => {
          throw new Error("EIO");
        });
      },
    })),
  ],
  [
    "applies what a damaged snapshot stands for",
    "damaged content is refused with a CodecError, the old state stands, and the store goes on",
    machine((inner) => {
      let failed: LogId | null = null;
      return {
        installSnapshot: async (snapshot, pause) => {
          failed = snapshot.meta.lastLogId;
          await inner.installSnapshot(snapshot, pause);
          failed = null;
        },
        readAppliedState: async () => {
          const state = await inner.readAppliedState();
          return failed === null ? state : { ...state, lastAppliedLogId: failed };
        },
      };
    }),
  ],
  [
    "lets nothing be applied while it receives",
    "applies go on while a snapshot is received, and the current one stands until the new one is installed",
    machine((inner) => {
      let receiving = false;
      return {
        receiveSnapshot: (meta, size) => {
          receiving = true;
          return inner.receiveSnapshot(meta, size);
        },
        apply: (entries) => {
          if (receiving) throw new Error("busy");
          return inner.apply(entries);
        },
      };
    }),
  ],
  [
    "finishes what is not complete",
    "a content of which something is missing is not finished",
    machine(() => ({
      receiveSnapshot: () => {
        const parts: Uint8Array[] = [];
        return {
          write: (chunk) => void parts.push(chunk.slice()),
          finish: async () => contentOf(await allBytes(parts)),
          discard: () => {},
        };
      },
    })),
  ],
  [
    "receives on where it left off",
    "what is discarded, or received and not installed, leaves nothing, and the next is received",
    machine(() => {
      const parts: Uint8Array[] = [];
      return {
        receiveSnapshot: () => ({
          write: (chunk) => void parts.push(chunk.slice()),
          finish: async () => contentOf(await allBytes(parts)),
          discard: () => {},
        }),
      };
    }),
  ],
  [
    "lets a vote wait for the state machine",
    "the log is written, truncated and purged while the state machine applies, builds and installs",
    (open) => {
      let term = 0;
      return {
        storage: but(open.storage, (inner) => ({
          saveVote: (vote) => {
            term = vote.term;
            return inner.saveVote(vote);
          },
        })),
        // One field for both halves.
        stateMachine: but(open.stateMachine, (inner) => ({
          apply: (entries) => {
            if (term > 0) throw new Error("the log is busy");
            return inner.apply(entries);
          },
        })),
      };
    },
  ],
  [
    "forgets its vote when it is closed",
    "a restart finds identity, vote, log and what was purged",
    secondLife(log(() => ({ readVote: never(null) }))),
  ],
  [
    "writes something down before it is asked to",
    "a restart of an empty store finds it empty",
    secondLife(
      log((inner) => ({ readVote: () => inner.readVote() ?? { term: 0, votedFor: null, committed: false } })),
    ),
  ],
  [
    "finds truncated entries again",
    "what was truncated stays so after a restart, also where later entries took its place",
    secondLife(
      log((inner) => ({
        readLogState: () => {
          const state = inner.readLogState() as { lastPurgedLogId: LogId; lastLogId: LogId };
          return { ...state, lastLogId: { ...state.lastLogId, index: state.lastLogId.index + 1 } };
        },
      })),
    ),
  ],
  [
    "forgets a purge that no entry follows",
    "a purge past the end is remembered after a restart, and the log goes on after it",
    secondLife(
      log(() => ({ readLogState: never({ lastPurgedLogId: ZERO_LOG_ID, lastLogId: ZERO_LOG_ID }) })),
    ),
  ],
  [
    "invents a hint",
    "a hint of what is committed is one that was saved, or gone, after a restart",
    secondLife(log(() => ({ readCommitted: never({ term: 1, index: 3 }) }))),
  ],
  [
    "forgets its snapshot when it is closed",
    "a restart finds the newest snapshot, and comes to the same state from it and the entries after it",
    secondLife(machine(() => ({ readCurrentSnapshot: never(null) }))),
  ],
];

describe("storage in memory", () => {
  for (const { group, name, run } of storageConformance(memFactory()))
    test(`${group}: ${name}`, async () => {
      await expect(run()).resolves.toBeUndefined();
    });
});

describe("the conformance suite of storage", () => {
  test.each(BROKEN)("a store that %s is caught: %s", async (_, rule, broken) => {
    const problem = await verdict(storageConformance(memFactory(broken), { timeoutMs: 500 }), rule);
    expect(problem).not.toBeNull();
  });

  test("every case is shown to fail, but those about crashes, which need a disk", () => {
    const names = storageConformance(memFactory()).map(({ name }) => name);
    expect(names.filter((name) => !BROKEN.some(([, rule]) => rule === name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  test("what a factory cannot do is not asked for", () => {
    const less = { ...memFactory(), restart: undefined };
    const groups = (factory: Parameters<typeof storageConformance<BytesTypeConfig, never>>[0]): string[] => [
      ...new Set(storageConformance(factory).map(({ group }) => group)),
    ];
    const able = {
      ...less,
      restart: () => {},
      crash: () => {},
      crashAt: () => ({ happened: Promise.resolve(), disarm: () => {} }),
    };
    expect(groups(able as never)).toEqual([
      ...groups(less as never),
      "restart",
      "crash",
      "crash within a call",
    ]);
  });

  test("a failure names the rule, what was found, and its cause", async () => {
    const broken = memFactory(
      log(() => ({
        readVote: () => {
          throw new RangeError("no such file");
        },
      })),
    );
    const found = storageConformance(broken).find(({ group }) => group === "vote");
    const error = await found?.run().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConformanceError);
    expect(error).toMatchObject({
      message: 'vote: "a new store has no vote" does not hold: it failed with RangeError: no such file',
      cause: new RangeError("no such file"),
    });
  });

  test("a call that never ends is no case that never ends", async () => {
    const broken = memFactory(log(() => ({ saveVote: () => new Promise(() => {}) })));
    const cases = storageConformance(broken, { timeoutMs: 20 });
    const problem = await verdict(cases, "a vote changes nothing in the log");
    expect(problem).toBe("it did not end within 20 ms: some call never ends");
  });

  test("every medium is disposed of, also when a case fails or hangs", async () => {
    let open = 0;
    const factory = memFactory(log(() => ({ saveVote: () => new Promise(() => {}) })));
    const counting: typeof factory = {
      ...factory,
      create: () => {
        open += 1;
        return factory.create();
      },
      dispose: () => {
        open -= 1;
      },
    };
    for (const { group, run } of storageConformance(counting, { timeoutMs: 20 })) {
      if (group === "vote" || group === "building snapshots") await run().catch(() => {});
    }
    expect(open).toBe(0);
  });

  test.each(["rounds", "timeoutMs"])("%s that is none is refused", (option) => {
    expect(() => storageConformance(memFactory(), { [option]: 0 })).toThrow(`options.${option} is 0`);
  });
});

import type { AsyncRuntime, BytesTypeConfig } from "@seshat/common";
import { UnreachableError } from "@seshat/common";
import type { ConformanceCase, Settle } from "@seshat/storage/conformance";
import { ConformanceError } from "@seshat/storage/conformance";
import { describe, expect, test } from "vitest";
import type { RaftNetwork, RaftNetworkFactory } from "../network/raft-network.js";
import type { Raft } from "../raft.js";
import { systemRuntime } from "../runtime/clock.js";
import { InProcessNetwork } from "../testing/in-process-network.js";
import { SeededRandom } from "../testing/seeded-random.js";
import { VirtualClock } from "../testing/virtual-clock.js";
import { METHODS } from "./messages.js";
import type { Method } from "./messages.js";
import { transportConformance } from "./transport-conformance.js";
import type { RaftHandlers, TransportFactory, TransportWorld } from "./transport-factory.js";

type Types = BytesTypeConfig;
type Network = RaftNetwork<Types>;
type World = TransportWorld<Types>;

/** How a transport differs from the one that is correct. */
type Break = (world: World) => World;

interface Time {
  readonly runtime: AsyncRuntime;
  readonly latencyMs: number;
  readonly settle?: Settle;
}

const REAL: Time = { runtime: systemRuntime, latencyMs: 0 };

function virtual(): Time {
  const clock = new VirtualClock();
  const settle: Settle = (outcome) => clock.runUntilSettled(outcome, 600_000);
  return { runtime: clock.runtime(new SeededRandom(1)), latencyMs: 3, settle };
}

function inProcess(
  { runtime, latencyMs, ...rest }: Time = REAL,
  broken: Break = (world) => world,
): TransportFactory<Types> {
  return {
    ...rest,
    runtime,
    create: () => {
      const network = new InProcessNetwork<Types>(runtime);
      network.setFaults({ minLatencyMs: latencyMs, maxLatencyMs: latencyMs });
      return broken({
        start: (id, handlers, at) => {
          network.join({ id, ...handlers } as unknown as Raft<Types>);
          return {
            node: at ?? { addr: `node-${id}` },
            network: network.from(id),
            stop: () => network.leave(id),
          };
        },
        nowhere: () => ({ addr: "nowhere" }),
      });
    },
    command: (data) => ({ data }),
    node: (id) => ({ addr: `node-${id}` }),
  };
}

/** Another factory of connections at each node. */
const factories =
  (change: (inner: RaftNetworkFactory<Types>) => RaftNetworkFactory<Types>): Break =>
  (world) => ({
    ...world,
    start: async (id, handlers, at) => {
      const endpoint = await world.start(id, handlers, at);
      return { ...endpoint, network: change(endpoint.network) };
    },
  });

/** Other connections. */
const connections = (change: (inner: Network) => Partial<Network>): Break =>
  factories((inner) => ({
    connect: (target, node) => {
      const connection = inner.connect(target, node);
      return { ...connection, ...change(connection) };
    },
  }));

type AnyCall = (request: { header: object }) => Promise<object>;

/** Another way to make each call of a connection. */
const calls = (methods: readonly Method[], change: (call: AnyCall, method: Method) => AnyCall): Break =>
  connections(
    (inner) =>
      Object.fromEntries(
        methods.map((method) => [method, change(inner[method] as unknown as AnyCall, method)]),
      ) as Partial<Network>,
  );

/** A call that waits until the one before it has ended. */
const oneByOne = (): ((call: AnyCall) => AnyCall) => {
  let last: Promise<unknown> = Promise.resolve();
  return (call) => (request) => {
    const mine = last.then(() => call(request));
    last = mine.catch(() => {});
    return mine;
  };
};

const INVENTED = { term: 0, granted: true, header: { from: 2, incarnation: 1 } };

/** A transport that ... is caught by ... */
const BROKEN: readonly (readonly [what: string, rule: string, broken: Break])[] = [
  ...METHODS.map((method): [string, string, Break] => [
    `forgets which store a ${method} is for`,
    `${method} arrives at the method of its name as it was sent, header and all, and its answer comes back`,
    calls(
      [method],
      (call) => (request) => call({ ...request, header: { ...request.header, toIncarnation: 0 } }),
    ),
  ]),
  [
    "takes a vote for a pre-vote",
    "vote arrives at the method of its name as it was sent, header and all, and its answer comes back",
    connections((inner) => ({ vote: (request) => inner.preVote(request) })),
  ],
  [
    "rounds large numbers",
    "preVote arrives at the method of its name as it was sent, header and all, and its answer comes back",
    connections((inner) => ({
      preVote: (request) => inner.preVote({ ...request, term: Math.fround(request.term) }),
    })),
  ],
  [
    "loses from whom an answer is",
    "readIndex arrives at the method of its name as it was sent, header and all, and its answer comes back",
    calls(["readIndex"], (call) => async (request) => ({
      ...(await call(request)),
      header: { from: 0, incarnation: 0 },
    })),
  ],
  [
    "cuts parts off at 64 KiB",
    "large entries and large parts of snapshots arrive as they were sent",
    connections((inner) => ({
      installSnapshot: (request) =>
        inner.installSnapshot({ ...request, data: request.data.subarray(0, 65_536) }),
    })),
  ],
  [
    "refuses large entries",
    "large entries and large parts of snapshots arrive as they were sent",
    connections((inner) => ({
      appendEntries: (request) => {
        const { payload } = request.entries[0] ?? {};
        if (payload?.type === "normal" && payload.data.data.length > 65_536)
          throw new RangeError("too large");
        return inner.appendEntries(request);
      },
    })),
  ],
  [
    "sends a part from where the memory begins",
    "a snapshot that comes in parts is the same bytes in the end",
    connections((inner) => ({
      installSnapshot: (request) =>
        inner.installSnapshot({
          ...request,
          data: new Uint8Array(request.data.buffer, 0, request.data.length),
        }),
    })),
  ],
  [
    "always reaches the node that it reached first",
    "each request reaches the node that it was sent to, and no other",
    factories((inner) => {
      let first: Network | null = null;
      return { connect: (target, node) => (first ??= inner.connect(target, node)) };
    }),
  ],
  [
    "writes its own headers",
    "a request whose header means somebody else arrives as it is: the node refuses it, and not the transport",
    factories((inner) => ({
      connect: (target, node) => {
        const connection = inner.connect(target, node);
        return {
          ...connection,
          vote: (request) => connection.vote({ ...request, header: { ...request.header, to: target } }),
        };
      },
    })),
  ],
  [
    "answers in the order in which it was asked",
    "an answer belongs to its own request, whatever is answered first",
    (world) => {
      const waiting: ((answer: object) => void)[] = [];
      return calls(
        METHODS,
        (call) => (request) =>
          new Promise((resolve) => {
            waiting.push(resolve);
            void call(request).then((answer) => waiting.shift()?.(answer));
          }),
      )(world);
    },
  ],
  [
    "makes one error of all",
    "an error of the peer comes back as an error of its class, with its fields",
    calls(
      METHODS,
      (call) => (request) =>
        call(request).catch((error: unknown) => {
          throw new Error((error as Error).message);
        }),
    ),
  ],
  [
    "loses the fields of errors",
    "an error of the peer comes back as an error of its class, with its fields",
    calls(
      METHODS,
      (call) => (request) =>
        call(request).catch((thrown: unknown) => {
          const error = thrown as Error;
          throw Object.assign(Object.create(Object.getPrototypeOf(error) as object) as Error, {
            message: error.message,
            name: error.name,
          });
        }),
    ),
  ],
  [
    "takes a failure for a refusal",
    "whatever a peer fails with, its failure is no answer",
    calls(METHODS, (call) => (request) => call(request).catch(() => INVENTED)),
  ],
  [
    "calls its peers at once",
    "a message is never handed over within the sender's turn",
    (world) => {
      const running = new Map<number, RaftHandlers<Types>>();
      return {
        ...world,
        start: async (id, handlers, at) => {
          running.set(id, handlers);
          const endpoint = await world.start(id, handlers, at);
          const connect = (target: number): Network => ({
            ...(running.get(target) as RaftHandlers<Types>),
            close: () => {},
          });
          return { ...endpoint, network: { connect } };
        },
      };
    },
  ],
  [
    "sends one appendEntries at a time",
    "a heartbeat does not wait behind entries and snapshots",
    (world) => calls(["appendEntries"], oneByOne())(world),
  ],
  [
    "makes one call at a time",
    "a handler that hangs holds up no other call, to this peer or to another",
    (world) => calls(METHODS, oneByOne())(world),
  ],
  [
    "lets small messages overtake large ones",
    "several appendEntries are on their way at once, and arrive in their order",
    connections((inner) => ({
      appendEntries: async (request) => {
        const { payload } = request.entries[0] ?? {};
        if (payload?.type === "normal" && payload.data.data.length > 1000)
          await new Promise((resolve) => {
            setTimeout(resolve, 1);
          });
        return inner.appendEntries(request);
      },
    })),
  ],
  [
    "sends nothing before the last is answered",
    "several appendEntries are on their way at once, and arrive in their order",
    (world) => calls(["appendEntries"], oneByOne())(world),
  ],
  [
    "resolves addresses in connect",
    "connect returns at once, wherever it leads: what cannot be reached shows when something is sent",
    factories((inner) => ({
      connect: (target, node) => {
        if (node.addr === "nowhere") throw new Error("unknown host");
        return inner.connect(target, node);
      },
    })),
  ],
  [
    "connects at leisure",
    "connect returns at once, wherever it leads: what cannot be reached shows when something is sent",
    factories((inner) => ({
      connect: (target, node) => Promise.resolve(inner.connect(target, node)) as unknown as Network,
    })),
  ],
  [
    "counts silence as consent",
    "a request to a node that does not run is rejected, never answered",
    calls(METHODS, (call) => (request) => call(request).catch(() => INVENTED)),
  ],
  [
    "answers what is open when the peer goes",
    "a call that is open when its peer stops is never answered",
    (world) => {
      const open: ((answer: object) => void)[] = [];
      const wrapped = calls(
        METHODS,
        (call) => (request) =>
          new Promise((resolve, reject) => {
            open.push(resolve);
            call(request).then(resolve, reject);
          }),
      )(world);
      return {
        ...wrapped,
        start: async (id, handlers, at) => {
          const endpoint = await wrapped.start(id, handlers, at);
          return {
            ...endpoint,
            stop: () => {
              for (const answer of open) answer(INVENTED);
              return endpoint.stop();
            },
          };
        },
      };
    },
  ],
  [
    "gives up a peer for ever",
    "a peer that comes back at its old place is reached again over the same connection",
    factories((inner) => ({
      connect: (target, node) => {
        const connection = inner.connect(target, node);
        let isLost = false;
        const vote: Network["vote"] = async (request) => {
          if (isLost) throw new UnreachableError(target, "it was not there before");
          try {
            return await connection.vote(request);
          } catch (error) {
            isLost = true;
            throw error;
          }
        };
        return { ...connection, vote };
      },
    })),
  ],
  [
    "keeps one connection to each node",
    "a peer that has moved is reached over a new connection",
    factories((inner) => {
      const kept = new Map<number, Network>();
      return {
        connect: (target, node) => {
          const connection = kept.get(target) ?? inner.connect(target, node);
          kept.set(target, connection);
          return connection;
        },
      };
    }),
  ],
  [
    "does nothing when it is closed",
    "a connection that was closed carries nothing more, and its calls are never answered",
    connections(() => ({ close: () => {} })),
  ],
  [
    "answers what is open when it is closed",
    "a connection that was closed carries nothing more, and its calls are never answered",
    connections((inner) => {
      const open: ((answer: typeof INVENTED) => void)[] = [];
      return {
        vote: (request) =>
          new Promise((resolve, reject) => {
            open.push(resolve);
            inner.vote(request).then(resolve, reject);
          }),
        close: () => {
          for (const answer of open) answer(INVENTED);
          inner.close();
        },
      };
    }),
  ],
  [
    "closes all when it closes one",
    "closing one connection leaves the others",
    factories((inner) => {
      const all: Network[] = [];
      return {
        connect: (target, node) => {
          const connection = inner.connect(target, node);
          all.push(connection);
          return {
            ...connection,
            close: () => {
              for (const one of all) one.close();
            },
          };
        },
      };
    }),
  ],
];

async function verdict(cases: readonly ConformanceCase[], name: string): Promise<string | null> {
  const found = cases.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no case "${name}"`);
  try {
    await found.run();
    return null;
  } catch (error) {
    if (error instanceof ConformanceError && error.rule === name) return error.problem;
    throw error;
  }
}

describe("the network within a process, on the clock of the machine", () => {
  for (const { group, name, run } of transportConformance(inProcess(), { patienceMs: 5 }))
    test(`${group}: ${name}`, async () => {
      await expect(run()).resolves.toBeUndefined();
    });
});

describe("the network within a process, on virtual time", () => {
  for (const { group, name, run } of transportConformance(inProcess(virtual())))
    test(`${group}: ${name}`, async () => {
      await expect(run()).resolves.toBeUndefined();
    });
});

describe("the conformance suite of transports", () => {
  test.each(BROKEN)("a transport that %s is caught: %s", async (_, rule, broken) => {
    const cases = transportConformance(inProcess(REAL, broken), { patienceMs: 5, timeoutMs: 500 });
    expect(await verdict(cases, rule)).not.toBeNull();
  });

  test("a transport may repeat a message: that is no break of a rule", async () => {
    const repeating = calls(METHODS, (call) => async (request) => {
      await call(request);
      return call(request);
    });
    const cases = transportConformance(inProcess(REAL, repeating), { patienceMs: 5, timeoutMs: 500 });
    for (const { name } of cases.filter(({ group }) => group === "delivery" || group === "connections")) {
      // Of a call that hangs the repetition never begins.
      expect(await verdict(cases, name)).toBeNull();
    }
  });

  test("every case is shown to fail", () => {
    const names = transportConformance(inProcess()).map(({ name }) => name);
    expect(names.filter((name) => !BROKEN.some(([, rule]) => rule === name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  test("order is asked for of those that keep it", () => {
    const all = transportConformance(inProcess()).length;
    expect(transportConformance(inProcess(), { keepsOrder: false })).toHaveLength(all - 1);
  });

  test.each(["rounds", "largeBytes", "patienceMs", "timeoutMs"])("%s that is none is refused", (option) => {
    expect(() => transportConformance(inProcess(), { [option]: 0 })).toThrow(`options.${option} is 0`);
  });
});

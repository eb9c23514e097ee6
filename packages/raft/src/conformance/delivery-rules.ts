import type { RaftTypeConfig, RequestHeader, RpcRequest } from "@seshat/common";
import { InvalidValueError, NotLeaderError, SeshatError, StoppedError } from "@seshat/common";
import { check, checkEqual } from "@seshat/storage/conformance";
import type { Method, ResponseOf } from "./messages.js";
import { METHODS } from "./messages.js";
import type { TransportBench } from "./transport-bench.js";
import { failureOf, send } from "./transport-bench.js";

/** A rule about transports, and the body of its case. */
export interface TransportRule {
  readonly group: string;
  readonly name: string;
  readonly run: <C extends RaftTypeConfig>(bench: TransportBench<C>) => Promise<void>;
}

/** Sends random requests of one kind, and checks what arrives and what comes back. */
async function checkMethod<C extends RaftTypeConfig>(
  bench: TransportBench<C>,
  method: Method,
): Promise<void> {
  let answer: ResponseOf<C, Method> = bench.messages.response(method, 2);
  const { b, toB } = await bench.pair(() => Promise.resolve(answer));
  for (let n = 0; n < bench.rounds; n++) {
    const request = bench.messages.request(method, 1, 2);
    answer = bench.messages.response(method, 2);
    const before = b.arrivals.length;
    const given = await send(toB, method, request);
    // A message may be repeated. What is repeated is what was sent.
    const arrived = b.arrivals.slice(before);
    check(arrived.length > 0, "the request was answered, and did not arrive");
    for (const arrival of arrived) {
      checkEqual("the method that was called", arrival.method, method);
      checkEqual("the request that arrived", arrival.request, request);
    }
    checkEqual("the answer that came back", given, answer);
  }
}

export const DELIVERY_RULES: readonly TransportRule[] = [
  ...METHODS.map((method): TransportRule => ({
    group: "delivery",
    name: `${method} arrives at the method of its name as it was sent, header and all, and its answer comes back`,
    run: (bench) => checkMethod(bench, method),
  })),
  {
    group: "delivery",
    name: "large entries and large parts of snapshots arrive as they were sent",
    run: async (bench) => {
      const { messages, largeBytes } = bench;
      const { b, toB } = await bench.pair();
      const half = Math.floor(largeBytes / 2);
      const append = messages.append(1, 2, [messages.entry(2, half), messages.entry(3, half)]);
      await send(toB, "appendEntries", append);
      checkEqual("the entries", b.arrivals[0]?.request, append);
      const data = Uint8Array.from({ length: largeBytes }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
      const part = messages.part(1, 2, largeBytes, 0, data);
      await send(toB, "installSnapshot", part);
      checkEqual("the part", b.arrivals.at(-1)?.request, part);
    },
  },
  {
    group: "delivery",
    name: "a snapshot that comes in parts is the same bytes in the end",
    run: async (bench) => {
      const size = 10_000;
      const whole = Uint8Array.from({ length: size }, (_, i) => (i * 31) & 0xff);
      const received = new Uint8Array(size);
      const { toB } = await bench.pair((_, request) => {
        const { offset, data } = request as { readonly offset: number; readonly data: Uint8Array };
        received.set(data, offset);
        const header = { from: 2, incarnation: 9 };
        return Promise.resolve({ type: "progress", term: 3, nextOffset: offset + data.length, header });
      });
      for (let offset = 0; offset < size;) {
        const data = whole.subarray(offset, offset + 999);
        const answer = await send(toB, "installSnapshot", bench.messages.part(1, 2, size, offset, data));
        const next = answer.type === "progress" ? answer.nextOffset : -1;
        checkEqual("the next offset", next, offset + data.length);
        offset = next;
      }
      checkEqual("the snapshot", received, whole);
    },
  },
  {
    group: "delivery",
    name: "each request reaches the node that it was sent to, and no other",
    run: async (bench) => {
      const sender = await bench.peer(1);
      for (const id of [2, 3, 4]) {
        const peer = await bench.peer(id);
        const others = bench.connect(sender, id, peer.endpoint.node);
        for (const method of METHODS) await send(others, method, bench.messages.request(method, 1, id));
        const seen = peer.arrivals.map(({ request }) => (request as RpcRequest<object>).header.to);
        check(
          seen.length >= METHODS.length,
          `of ${METHODS.length} requests ${seen.length} arrived at node ${id}`,
        );
        const astray = seen.filter((to) => to !== id);
        checkEqual(`the requests for others that arrived at node ${id}`, astray, []);
      }
    },
  },
  {
    group: "delivery",
    name: "a request whose header means somebody else arrives as it is: the node refuses it, and not the transport",
    run: async (bench) => {
      const { b, toB } = await bench.pair();
      const request = bench.messages.request("vote", 77, 99);
      await send(toB, "vote", request);
      checkEqual("the request that arrived", b.arrivals[0]?.request, request);
    },
  },
];

export const ANSWER_RULES: readonly TransportRule[] = [
  {
    group: "answers",
    name: "an answer belongs to its own request, whatever is answered first",
    run: async (bench) => {
      const count = 40;
      const waiting: (() => void)[] = [];
      // Each request and its answer carry a number that no other does, where a node says which store it runs on.
      const { b, toB } = await bench.pair((method, request) => {
        const { incarnation } = (request as { readonly header: RequestHeader }).header;
        const answer = bench.messages.response(method, 2);
        return new Promise((resolve) => {
          waiting.push(() => resolve({ ...answer, header: { from: 2, incarnation: 1000 + incarnation } }));
        });
      });
      const calls = Array.from({ length: count }, (_, n) => {
        const method = METHODS[n % METHODS.length] as Method;
        const request = bench.messages.request(method, 1, 2);
        const call = send(toB, method, { ...request, header: { ...request.header, incarnation: n + 1 } });
        call.catch(() => {});
        return call;
      });
      await bench.until(() => b.arrivals.length >= count);
      for (const answer of waiting.toReversed()) answer();
      const answered = (await Promise.all(calls)).map(({ header }) => header.incarnation - 1000);
      checkEqual(
        "the requests that were answered",
        answered,
        Array.from({ length: count }, (_, n) => n + 1),
      );
    },
  },
  {
    group: "answers",
    name: "an error of the peer comes back as an error of its class, with its fields",
    run: async (bench) => {
      const errors = [
        new NotLeaderError(3, null),
        new StoppedError("the disk is full"),
        new InvalidValueError("vote.term", -1, "an integer from 1 to 2^53 - 1"),
      ];
      for (const [i, error] of errors.entries()) {
        const a = await bench.peer(10 + i);
        const b = await bench.peer(20 + i, () => Promise.reject(error));
        const toB = bench.connect(a, b.id, b.endpoint.node);
        for (const method of METHODS) {
          const call = send(toB, method, bench.messages.request(method, a.id, b.id));
          const found = await failureOf(method, call);
          check(
            found instanceof SeshatError,
            `${method} failed with ${String(found)}, and not with ${error.name}`,
          );
          check(
            found.constructor === error.constructor,
            `${method} failed with ${found.name}, not ${error.name}`,
          );
          checkEqual(`the message of the error of ${method}`, found.message, error.message);
          const fieldsOf = (one: object): object => ({ ...one, cause: undefined });
          checkEqual(`the error of ${method}`, fieldsOf(found), fieldsOf(error));
        }
      }
    },
  },
  {
    group: "answers",
    name: "whatever a peer fails with, its failure is no answer",
    run: async (bench) => {
      const { toB } = await bench.pair(() => Promise.reject(new TypeError("undefined is not a function")));
      for (const method of METHODS) {
        const found = await failureOf(method, send(toB, method, bench.messages.request(method, 1, 2)));
        check(found instanceof Error, `${method} failed with ${String(found)}, which is no error`);
      }
    },
  },
];

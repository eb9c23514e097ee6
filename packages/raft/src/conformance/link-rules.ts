import { check, checkEqual } from "@seshat/storage/conformance";
import type { TransportRule } from "./delivery-rules.js";
import { METHODS } from "./messages.js";
import { failureOf, send, silence } from "./transport-bench.js";

const LARGE_MESSAGES = 4;

export const ORDER_RULES: readonly TransportRule[] = [
  {
    group: "turns and order",
    name: "a message is never handed over within the sender's turn",
    run: async (bench) => {
      const { b, toB } = await bench.pair();
      for (const method of METHODS) {
        const before = b.arrivals.length;
        const call = send(toB, method, bench.messages.request(method, 1, 2));
        check(
          b.arrivals.length === before,
          `${method} was handed over before the call of the sender returned`,
        );
        await call;
      }
    },
  },
  {
    group: "turns and order",
    name: "a heartbeat does not wait behind entries and snapshots",
    run: async (bench) => {
      const { messages, largeBytes } = bench;
      const { toB } = await bench.pair((method, request) => {
        const isHeartbeat =
          method === "appendEntries" && (request as { entries: readonly unknown[] }).entries.length === 0;
        return isHeartbeat ? Promise.resolve(messages.response(method, 2)) : silence();
      });
      for (let n = 0; n < LARGE_MESSAGES; n++) {
        const entries = messages.append(1, 2, [
          messages.entry(2 + n, Math.floor(largeBytes / LARGE_MESSAGES)),
        ]);
        send(toB, "appendEntries", entries).catch(() => {});
      }
      const part = messages.part(1, 2, 10, 0, new Uint8Array(10));
      send(toB, "installSnapshot", part).catch(() => {});
      await send(toB, "appendEntries", messages.append(1, 2, []));
    },
  },
  {
    group: "turns and order",
    name: "a handler that hangs holds up no other call, to this peer or to another",
    run: async (bench) => {
      for (const [i, hanging] of METHODS.entries()) {
        const a = await bench.peer(10 + i);
        const b = await bench.peer(20 + i, (method) =>
          method === hanging ? silence() : bench.anyAnswer(20 + i)(method, null),
        );
        const c = await bench.peer(30 + i);
        const toB = bench.connect(a, b.id, b.endpoint.node);
        const toC = bench.connect(a, c.id, c.endpoint.node);
        const hung = send(toB, hanging, bench.messages.request(hanging, a.id, b.id));
        hung.catch(() => {});
        await bench.until(() => b.arrivals.length >= 1);
        for (const method of METHODS) {
          await send(toC, method, bench.messages.request(method, a.id, c.id));
          if (method !== hanging) await send(toB, method, bench.messages.request(method, a.id, b.id));
        }
        check(
          (await bench.outcomeOf(hung)) !== "resolved",
          `${hanging} was answered, and nobody gave that answer`,
        );
      }
    },
  },
];

/** Asked for of transports that keep the order where they can. */
export const KEPT_ORDER_RULE: TransportRule = {
  group: "turns and order",
  name: "several appendEntries are on their way at once, and arrive in their order",
  run: async (bench) => {
    const { messages } = bench;
    const count = 30;
    const { b, toB } = await bench.pair(() => silence());
    for (let n = 0; n < count; n++) {
      // Sizes differ, so that whoever lets small ones overtake shows it.
      const entry = messages.entry(n + 1, n % 5 === 0 ? 20_000 : 10);
      send(toB, "appendEntries", messages.append(1, 2, [entry])).catch(() => {});
    }
    await bench.until(() => b.arrivals.length === count);
    const indexes = b.arrivals.map(
      ({ request }) =>
        (request as { entries: readonly { logId: { index: number } }[] }).entries[0]?.logId.index,
    );
    checkEqual(
      "the order of the entries",
      indexes,
      Array.from({ length: count }, (_, n) => n + 1),
    );
  },
};

export const LINK_RULES: readonly TransportRule[] = [
  {
    group: "connections",
    name: "connect returns at once, wherever it leads: what cannot be reached shows when something is sent",
    run: async (bench) => {
      const a = await bench.peer(1);
      const nowhere = await bench.nowhere();
      const connection = bench.connect(a, 9, nowhere);
      check(!((connection as unknown) instanceof Promise), "connect gives a promise");
      const call = send(connection, "vote", bench.messages.request("vote", 1, 9));
      await failureOf("a vote for nobody", call);
    },
  },
  {
    group: "connections",
    name: "a request to a node that does not run is rejected, never answered",
    run: async (bench) => {
      const { b, toB } = await bench.pair();
      await send(toB, "vote", bench.messages.request("vote", 1, 2));
      await b.endpoint.stop();
      const before = b.arrivals.length;
      for (const method of METHODS) {
        await failureOf(method, send(toB, method, bench.messages.request(method, 1, 2)));
      }
      checkEqual("the number of requests that arrived", b.arrivals.length, before);
    },
  },
  {
    group: "connections",
    name: "a call that is open when its peer stops is never answered",
    run: async (bench) => {
      const { b, toB } = await bench.pair(() => silence());
      const call = send(toB, "vote", bench.messages.request("vote", 1, 2));
      call.catch(() => {});
      await bench.until(() => b.arrivals.length >= 1);
      await b.endpoint.stop();
      check(
        (await bench.outcomeOf(call)) !== "resolved",
        "the call was answered, and nobody gave that answer",
      );
    },
  },
  {
    group: "connections",
    name: "a peer that comes back at its old place is reached again over the same connection",
    run: async (bench) => {
      const { b, toB } = await bench.pair();
      await send(toB, "vote", bench.messages.request("vote", 1, 2));
      await b.endpoint.stop();
      await failureOf("a vote for nobody", send(toB, "vote", bench.messages.request("vote", 1, 2)));
      const before = b.arrivals.length;
      const next = await bench.peer(2, bench.anyAnswer(2), b.endpoint.node);
      let isAnswered = false;
      // A transport may wait a while before it tries again; Raft asks again too.
      while (!isAnswered) {
        isAnswered = await send(toB, "vote", bench.messages.request("vote", 1, 2)).then(
          () => true,
          () => false,
        );
        if (!isAnswered) await bench.pause();
      }
      check(next.arrivals.length > 0, "the answer came, and the request did not arrive");
      checkEqual("the number of requests at the earlier life", b.arrivals.length, before);
    },
  },
  {
    group: "connections",
    name: "a peer that has moved is reached over a new connection",
    run: async (bench) => {
      const { a, b, toB } = await bench.pair();
      await send(toB, "vote", bench.messages.request("vote", 1, 2));
      toB.close();
      await b.endpoint.stop();
      const moved = await bench.peer(2);
      const request = bench.messages.request("vote", 1, 2);
      await send(bench.connect(a, 2, moved.endpoint.node), "vote", request);
      checkEqual("the request that arrived", moved.arrivals[0]?.request, request);
    },
  },
  {
    group: "connections",
    name: "a connection that was closed carries nothing more, and its calls are never answered",
    run: async (bench) => {
      const { b, toB } = await bench.pair((method) =>
        method === "vote" ? silence() : Promise.resolve(bench.messages.response(method, 2)),
      );
      const open = send(toB, "vote", bench.messages.request("vote", 1, 2));
      open.catch(() => {});
      await bench.until(() => b.arrivals.length >= 1);
      const before = b.arrivals.length;
      toB.close();
      check(
        (await bench.outcomeOf(open)) !== "resolved",
        "an open call was answered, and nobody gave that answer",
      );
      for (const method of METHODS) {
        let call: Promise<unknown>;
        try {
          call = send(toB, method, bench.messages.request(method, 1, 2));
        } catch (error) {
          check(false, `${method} threw ${String(error)}, and did not reject`);
        }
        check(
          (await bench.outcomeOf(call)) !== "resolved",
          `${method} was answered after the connection was closed`,
        );
      }
      checkEqual("the number of requests that arrived", b.arrivals.length, before);
    },
  },
  {
    group: "connections",
    name: "closing one connection leaves the others",
    run: async (bench) => {
      const { a, b, toB } = await bench.pair();
      const c = await bench.peer(3);
      const toC = bench.connect(a, 3, c.endpoint.node);
      const again = bench.connect(a, 2, b.endpoint.node);
      const fromC = bench.connect(c, 2, b.endpoint.node);
      for (const connection of [toB, again, fromC]) {
        await send(connection, "vote", bench.messages.request("vote", 1, 2));
      }
      toB.close();
      await send(toC, "vote", bench.messages.request("vote", 1, 3));
      await send(again, "vote", bench.messages.request("vote", 1, 2));
      await send(fromC, "vote", bench.messages.request("vote", 3, 2));
    },
  },
];

import { once } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import {
  ForeignNodeError,
  InvalidValueError,
  NotLeaderError,
  OverloadedError,
  RemoteError,
  UnknownOutcomeError,
  UnreachableError,
} from "@seshat/common";
import { describe, expect, test } from "vitest";
import { nodeUri } from "../src/index.js";
import { FORWARD_PATH, META } from "../src/service.js";
import { PAYLOAD, itemLength, writeItems } from "../src/wire/items.js";
import type { Item } from "../src/wire/items.js";
import { makeAuthority } from "./certificates.js";
import { bytesOf, forwardTo, listenFor, textOf } from "./forward-ends.js";
import { failure, listen, serves } from "./messages.js";
import { RawClient, RawServer, frame } from "./raw-http2.js";
import { TcpProxy } from "./tcp-proxy.js";

const echo = (_: number, payload: Uint8Array): Promise<Uint8Array> => Promise.resolve(payload);

function message(...items: readonly Item[]): Buffer {
  return writeItems(
    items,
    items.reduce((sum, item) => sum + itemLength(item), 0),
  );
}

/** Calls that are answered when the test says so. */
class Held {
  readonly calls: { readonly text: string; readonly answer: (payload: Uint8Array) => void }[] = [];

  readonly handle = (_: number, payload: Uint8Array): Promise<Uint8Array> =>
    new Promise((answer) => {
      this.calls.push({ text: textOf(payload), answer });
    });

  async until(count: number): Promise<void> {
    while (this.calls.length < count) await setImmediate();
  }
}

describe("what is forwarded", () => {
  test("is handed over in the order of the calls, and each answer reaches its own, in whatever order they come", async () => {
    const held = new Held();
    await using listener = await listenFor(held.handle);
    using way = forwardTo(listener.address);
    const texts = Array.from({ length: 500 }, (_, i) => `call ${i}`);
    const answers = texts.map(async (text) => textOf(await way.call(bytesOf(text))));
    await held.until(500);
    expect(held.calls.map(({ text }) => text)).toEqual(texts);
    for (const { text, answer } of held.calls.toReversed()) answer(bytesOf(`answer to ${text}`));
    expect(await Promise.all(answers)).toEqual(texts.map((text) => `answer to ${text}`));
  });

  test("may be of any size, nothing included, and is told from whom it is", async () => {
    const seen: number[] = [];
    await using listener = await listenFor((from, payload) => {
      seen.push(from);
      return Promise.resolve(payload);
    });
    using way = forwardTo(listener.address, { nodeId: 7 });
    for (const size of [0, 1, 127, 128, 16_383, 16_384, 65_536, 2_000_000]) {
      const payload = new Uint8Array(size).fill(size);
      const answer = await way.call(payload);
      expect(answer.length).toBe(size);
      expect(Buffer.compare(answer, payload)).toBe(0);
    }
    expect(new Set(seen)).toEqual(new Set([7]));
  });

  test("is rejected with the error of the other side, of its class and with its fields", async () => {
    const thrown: (() => Promise<Uint8Array>)[] = [
      () => Promise.reject(new NotLeaderError(3, { addr: "there" })),
      () => {
        throw new NotLeaderError(null, null);
      },
      () => Promise.reject(new RangeError("too far: \ud800")),
      () => Promise.resolve("no bytes" as never),
    ];
    await using listener = await listenFor(() => (thrown.shift() as () => Promise<Uint8Array>)());
    using way = forwardTo(listener.address);
    const call = (): Promise<Error> => failure(way.call(bytesOf("x")));
    expect(await call()).toStrictEqual(new NotLeaderError(3, { addr: "there" }));
    expect(await call()).toStrictEqual(new NotLeaderError(null, null));
    expect(await call()).toBeInstanceOf(RemoteError);
    expect(await call()).toBeInstanceOf(InvalidValueError);
  });

  test("and has an answer that fits in no message may have been done, and the stream goes on", async () => {
    const config = { maxMessageBytes: 100_000 };
    await using listener = await listenFor(
      (_, payload) => Promise.resolve(new Uint8Array(textOf(payload) === "large" ? 100_001 : 10)),
      { config },
    );
    using way = forwardTo(listener.address, { config });
    const [large, small] = await Promise.all([
      failure(way.call(bytesOf("large"))),
      way.call(bytesOf("small")),
    ]);
    expect(large).toBeInstanceOf(UnknownOutcomeError);
    expect(small.length).toBe(10);
  });
});

describe("forwarding is bounded", () => {
  test("by calls without an answer: one more is refused, and there is room again when one is answered", async () => {
    const held = new Held();
    await using listener = await listenFor(held.handle);
    using way = forwardTo(listener.address, { config: { maxInFlightRequests: 3 } });
    const calls = ["a", "b", "c"].map((text) => way.call(bytesOf(text)));
    const refused = await failure(way.call(bytesOf("d")));
    expect(refused).toStrictEqual(new OverloadedError("forwarded calls", 3));
    await held.until(3);
    held.calls[0]?.answer(bytesOf("done"));
    await calls[0];
    const later = way.call(bytesOf("e"));
    await held.until(4);
    for (const { answer } of held.calls) answer(bytesOf("done"));
    await Promise.all([...calls.slice(1), later]);
    expect(held.calls.map(({ text }) => text)).toEqual(["a", "b", "c", "e"]);
  });

  test("by bytes without an answer: a larger call goes alone, and none fits in no message", async () => {
    const held = new Held();
    await using listener = await listenFor(held.handle);
    const config = { maxInFlightBytes: 1000, maxMessageBytes: 10_000 };
    using way = forwardTo(listener.address, { config });
    expect(await failure(way.call(new Uint8Array(10_000)))).toBeInstanceOf(InvalidValueError);
    const large = way.call(new Uint8Array(5000));
    expect(await failure(way.call(new Uint8Array(1)))).toStrictEqual(
      new OverloadedError("bytes of forwarded calls", 1000),
    );
    await held.until(1);
    held.calls[0]?.answer(new Uint8Array(0));
    await large;
    const small = way.call(new Uint8Array(900));
    expect(await failure(way.call(new Uint8Array(100)))).toBeInstanceOf(OverloadedError);
    await held.until(2);
    held.calls[1]?.answer(new Uint8Array(0));
    await small;
  });

  test("where it arrives, too: no more is handed over than has room, by count or by bytes, and the rest waits", async () => {
    for (const config of [{ maxInFlightRequests: 10 }, { maxInFlightBytes: 10 * 1000 }]) {
      const held = new Held();
      await using listener = await listenFor(held.handle, { config });
      using way = forwardTo(listener.address);
      const payload = new Uint8Array(1000 - 7);
      const calls = Array.from({ length: 200 }, () => way.call(payload));
      await held.until(10);
      // Another connection is served in the meantime: what had been on its way is there by then.
      for (let i = 0; i < 10; i++) expect(await serves(listener)).toBe(true);
      expect(held.calls).toHaveLength(10);
      for (let done = 0; done < 200; done++) {
        await held.until(done + 1);
        held.calls[done]?.answer(bytesOf(`${done}`));
      }
      const answers = await Promise.all(calls);
      expect(answers.map(textOf)).toEqual(Array.from({ length: 200 }, (_, i) => `${i}`));
    }
  });

  test("and as long as it is worked on, also when nobody waits for it any more and its stream is over", async () => {
    const held = new Held();
    let handed = 0;
    const handle = (from: number, payload: Uint8Array): Promise<Uint8Array> =>
      ++handed > 10 ? Promise.resolve(bytesOf("at once")) : held.handle(from, payload);
    const config = { maxInFlightBytes: 10 * 1000, deadlinesMs: { forward: 20 } };
    await using listener = await listenFor(handle, { config });
    const payload = new Uint8Array(1000 - 7);
    {
      using first = forwardTo(listener.address);
      const calls = Array.from({ length: 10 }, () => failure(first.call(payload)));
      for (const error of await Promise.all(calls)) expect(error).toBeInstanceOf(UnknownOutcomeError);
    }
    using second = forwardTo(listener.address);
    const answer = second.call(payload).then(textOf, String);
    for (let i = 0; i < 10; i++) expect(await serves(listener)).toBe(true);
    expect(handed).toBe(10);
    held.calls[0]?.answer(bytesOf("too late"));
    expect(await answer).toBe("at once");
  });

  test("when a peer puts a million calls into one message: they are handed over as they have room", async () => {
    const held = new Held();
    await using listener = await listenFor(held.handle, { config: { maxInFlightRequests: 50 } });
    await using client = new RawClient(listener.address);
    const stream = client.open(FORWARD_PATH);
    const tiny: Item = { id: 1, field: PAYLOAD, bytes: new Uint8Array(0) };
    const one = message(tiny);
    const many = Buffer.alloc(one.length * 1_000_000);
    for (let i = 0; i < 1_000_000; i++) many.set(one, i * one.length);
    stream.send(frame(many));
    await held.until(50);
    for (let i = 0; i < 10; i++) expect(await serves(listener)).toBe(true);
    expect(held.calls).toHaveLength(50);
  });

  test.for([
    ["count", { maxInFlightRequests: 10 }],
    ["bytes", { maxInFlightBytes: 100_000 }],
  ] as const)("when a peer does not take its answers: by %s no more is taken from it", async ([, config]) => {
    let handled = 0;
    const answer = (): Promise<Uint8Array> => {
      handled++;
      return Promise.resolve(new Uint8Array(10_000));
    };
    await using listener = await listenFor(answer, { config });
    await using client = new RawClient(listener.address, { settings: { initialWindowSize: 0 } });
    const stream = client.open(FORWARD_PATH);
    for (let id = 1; id <= 40; id++) {
      stream.send(frame(message({ id, field: PAYLOAD, bytes: bytesOf("x") })));
      // As long as there is room each is handed over, and answered, before the next.
      while (handled < Math.min(id, 10)) await setImmediate();
      expect(await serves(listener)).toBe(true);
    }
    expect(handled).toBe(10);
  });
});

describe("a call whose connection is lost", () => {
  test("before anything was sent is refused: nobody has heard of it", async () => {
    using nowhere = forwardTo("127.0.0.1:9");
    expect(await failure(nowhere.call(bytesOf("x")))).toBeInstanceOf(UnreachableError);
    // The other end takes the connection, and nothing more.
    const silent = createServer((socket) => socket.on("error", () => {}));
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    using way = forwardTo(`127.0.0.1:${port}`, { config: { connectTimeoutMs: 50 } });
    const calls = await Promise.all([failure(way.call(bytesOf("x"))), failure(way.call(bytesOf("y")))]);
    for (const error of calls) expect(error).toBeInstanceOf(UnreachableError);
    silent.close();
  });

  test("after it was sent has an unknown outcome, also when it was done", async () => {
    const held = new Held();
    await using listener = await listenFor(held.handle);
    await using proxy = await disposable(TcpProxy.start(listener.address));
    using way = forwardTo(proxy.address);
    const lost = failure(way.call(bytesOf("x")));
    await held.until(1);
    held.calls[0]?.answer(bytesOf("done"));
    proxy.cut();
    const error = await lost;
    expect(error).toBeInstanceOf(UnknownOutcomeError);
    expect(error.cause).toBeInstanceOf(UnreachableError);
    // The next goes over a new connection.
    for (;;) {
      const call = way.call(bytesOf("again"));
      const answer = call.catch(() => null);
      if (await Promise.race([answer.then(() => false), held.until(2).then(() => true)])) {
        held.calls[1]?.answer(bytesOf("done"));
        expect(textOf((await answer) as Uint8Array)).toBe("done");
        break;
      }
    }
  });

  test("is refused where it still waited behind a peer that reads nothing, and unknown where it had begun to leave", async () => {
    const streams: ServerHttp2Stream[] = [];
    await using server = await RawServer.start(
      () => {},
      (stream) => {
        stream.respond({ ":status": 200, "content-type": "application/grpc" });
        stream.pause();
        streams.push(stream);
        return false;
      },
      { initialWindowSize: 1000 },
    );
    using way = forwardTo(server.address);
    const outcomes = [200_000, 10, 70_000, 10].map((size) => failure(way.call(new Uint8Array(size))));
    while (streams.length === 0) await setImmediate();
    // The first is on its way: once it has begun to arrive the connection breaks.
    const [stream] = streams;
    while ((stream?.readableLength ?? 0) === 0) await setImmediate();
    stream?.session?.destroy();
    const [first, ...others] = await Promise.all(outcomes);
    expect(first).toBeInstanceOf(UnknownOutcomeError);
    for (const error of others) expect(error).toBeInstanceOf(UnreachableError);
  });

  test("because the way was closed: refused if not sent, unknown if sent", async () => {
    const held = new Held();
    await using listener = await listenFor(held.handle);
    const way = forwardTo(listener.address);
    const sent = failure(way.call(bytesOf("x")));
    await held.until(1);
    const unsent = failure(way.call(bytesOf("y")));
    way.close();
    expect(await sent).toBeInstanceOf(UnknownOutcomeError);
    expect(await unsent).toBeInstanceOf(UnreachableError);
    expect(await failure(way.call(bytesOf("z")))).toBeInstanceOf(UnreachableError);
    expect(held.calls).toHaveLength(1);
  });

  test("because the other side closed: unknown", async () => {
    const held = new Held();
    const listener = await listenFor(held.handle);
    using way = forwardTo(listener.address);
    const sent = failure(way.call(bytesOf("x")));
    await held.until(1);
    await listener.close();
    expect(await sent).toBeInstanceOf(UnknownOutcomeError);
  });
});

describe("a call that is not answered in time", () => {
  test("has an unknown outcome if it was sent; its late answer is nobody's, and its room is free", async () => {
    const held = new Held();
    await using listener = await listenFor(held.handle);
    using way = forwardTo(listener.address, { config: { maxInFlightRequests: 1 } });
    const first = way.call(bytesOf("so that it is connected"));
    await held.until(1);
    held.calls.shift()?.answer(bytesOf("done"));
    await first;
    expect(await failure(way.call(bytesOf("x"), { timeoutMs: 20 }))).toBeInstanceOf(UnknownOutcomeError);
    const second = way.call(bytesOf("y"));
    await held.until(2);
    held.calls[0]?.answer(bytesOf("late"));
    held.calls[1]?.answer(bytesOf("in time"));
    expect(textOf(await second)).toBe("in time");
  });

  test("is refused if it was not sent, and is not sent any more", async () => {
    const held = new Held();
    await using listener = await listenFor(held.handle);
    await using proxy = await disposable(TcpProxy.start(listener.address));
    proxy.hold();
    using way = forwardTo(proxy.address, { config: { connectTimeoutMs: 300 } });
    expect(await failure(way.call(bytesOf("x"), { timeoutMs: 20 }))).toBeInstanceOf(UnreachableError);
    proxy.mend();
    for (;;) {
      const call = way.call(bytesOf("y"));
      call.catch(() => {});
      const arrived = held.until(1).then(() => true);
      if (await Promise.race([arrived, call.then(Boolean, () => false)])) break;
    }
    expect(held.calls[0]?.text).toBe("y");
  });

  test("at the other side is answered there: nobody can tell what became of it", async () => {
    const held = new Held();
    await using listener = await listenFor(held.handle, { config: { deadlinesMs: { forward: 20 } } });
    using way = forwardTo(listener.address);
    const error = await failure(way.call(bytesOf("x")));
    expect(error).toBeInstanceOf(UnknownOutcomeError);
    expect(error.message).toContain("it was not done in time");
  });

  test("keeps its room while its bytes are still here, and no longer", async () => {
    const streams: ServerHttp2Stream[] = [];
    await using server = await RawServer.start(
      () => {},
      (stream) => {
        stream.respond({ ":status": 200, "content-type": "application/grpc" });
        stream.pause();
        streams.push(stream);
        return false;
      },
      { initialWindowSize: 1000 },
    );
    using way = forwardTo(server.address, { config: { maxInFlightBytes: 100_000 } });
    // So that it is connected.
    way.call(bytesOf("x")).catch(() => {});
    while ((streams[0]?.readableLength ?? 0) === 0) await setImmediate();
    const stuck = await failure(way.call(new Uint8Array(90_000), { timeoutMs: 100 }));
    expect(stuck).toBeInstanceOf(UnknownOutcomeError);
    expect(await failure(way.call(new Uint8Array(20_000)))).toBeInstanceOf(OverloadedError);
    streams[0]?.resume();
    for (;;) {
      const error = await failure(way.call(new Uint8Array(20_000), { timeoutMs: 1 }));
      if (!(error instanceof OverloadedError)) break;
      await setImmediate();
    }
  });
});

describe("who is not meant is refused, and the listener goes on", () => {
  test.for([
    ["of another cluster", { clusterId: "green" }, 'it comes from cluster "green", and this is "seshat"'],
    ["for another node", { target: 3 }, "it is for node 3, and this is node 2"],
    ["from a node of the same id", { nodeId: 2, target: 3 }, "it is for node 3"],
  ] as const)("a stream %s", async ([, options, why]) => {
    const held = new Held();
    await using listener = await listenFor(held.handle);
    using way = forwardTo(listener.address, options);
    const error = await failure(way.call(bytesOf("x")));
    expect(error).toBeInstanceOf(ForeignNodeError);
    expect(error.message).toContain(why);
    expect(held.calls).toHaveLength(0);
    using right = forwardTo(listener.address);
    const call = right.call(bytesOf("y"));
    await held.until(1);
    held.calls[0]?.answer(bytesOf("done"));
    expect(textOf(await call)).toBe("done");
  });

  test("a stream of somebody with the id of the node itself", async () => {
    await using listener = await listenFor(echo);
    await using client = new RawClient(listener.address);
    const headers = { [META.cluster]: "seshat", [META.from]: "2", [META.to]: "2" };
    expect(await client.open(FORWARD_PATH, headers).status).toBe("7");
  });

  test("a refused stream leaves a connection that is idle, and is closed", async () => {
    await using listener = await listenFor(echo, { config: { idleTimeoutMs: 50 } });
    const client = new RawClient(listener.address);
    const headers = { [META.cluster]: "green", [META.from]: "1", [META.to]: "2" };
    expect(await client.open(FORWARD_PATH, headers).status).toBe("7");
    await client.closed;
    while (listener.connections > 0) await setImmediate();
  });

  test("where nothing is forwarded to the application", async () => {
    await using listener = await listen();
    using way = forwardTo(listener.address);
    expect(await failure(way.call(bytesOf("x")))).toBeInstanceOf(UnreachableError);
    expect(await serves(listener)).toBe(true);
  });

  test("with mutual TLS, who has the certificate of another, either way", async () => {
    const authority = makeAuthority("cluster");
    const of = (id: number, cluster = "seshat"): ReturnType<typeof authority.issue> =>
      authority.issue([`URI:${nodeUri(cluster, id)}`]);
    await using listener = await listenFor(echo, { tls: of(2) });
    using one = forwardTo(listener.address, { tls: of(1) });
    expect(textOf(await one.call(bytesOf("x")))).toBe("x");
    using three = forwardTo(listener.address, { tls: of(3), nodeId: 1 });
    expect((await failure(three.call(bytesOf("x")))).message).toContain(
      "its certificate is that of node 3, not of node 1",
    );
    using green = forwardTo(listener.address, { tls: of(1, "green") });
    expect(await failure(green.call(bytesOf("x")))).toBeInstanceOf(ForeignNodeError);
    await using impostor = await listenFor(echo, { tls: of(3) });
    using mistaken = forwardTo(impostor.address, { tls: of(1) });
    expect(await failure(mistaken.call(bytesOf("x")))).toBeInstanceOf(ForeignNodeError);
  });
});

describe("a peer that makes no sense", () => {
  test.for([
    ["bytes that are no message", frame(Buffer.from("ffffffffffffffff", "hex"))],
    ["a call that ends in the middle", frame(Buffer.from("0a0508011203", "hex"))],
    ["an error where there is to be a call", frame(message({ id: 1, field: 3, bytes: new Uint8Array(0) }))],
  ] as const)("and sends %s: its stream is ended, and others are served", async ([, bytes]) => {
    await using listener = await listenFor(echo);
    await using client = new RawClient(listener.address);
    const stream = client.open(FORWARD_PATH);
    stream.send(bytes);
    expect(await stream.status).toBe("3");
    using way = forwardTo(listener.address);
    expect(textOf(await way.call(bytesOf("x")))).toBe("x");
  });

  test.for([
    ["bytes that are no message", Buffer.from("ffffff", "hex")],
    ["an error that is none", message({ id: 1, field: 3, bytes: Buffer.from("ffff", "hex") })],
  ] as const)(
    "and answers with %s: the outcome is unknown, and the connection given up",
    async ([, answer]) => {
      const closed: Promise<unknown>[] = [];
      await using server = await RawServer.start(
        () => {},
        (stream) => {
          stream.respond({ ":status": 200, "content-type": "application/grpc" });
          stream.once("data", () => stream.write(frame(answer)));
          if (stream.session !== undefined) closed.push(once(stream.session, "close"));
          return false;
        },
      );
      using way = forwardTo(server.address);
      expect(await failure(way.call(bytesOf("x")))).toBeInstanceOf(UnknownOutcomeError);
      await closed[0];
    },
  );

  test("and answers what nobody asked: that is nobody's, unless the call still waits here", async () => {
    await using server = await RawServer.start(
      () => {},
      (stream) => {
        stream.respond({ ":status": 200, "content-type": "application/grpc" });
        stream.once("data", () => {
          const answer = (id: number, text: string): Item => ({ id, field: PAYLOAD, bytes: bytesOf(text) });
          stream.write(frame(message(answer(999, "no"), answer(1, "yes"), answer(1, "again"))));
        });
        return false;
      },
    );
    using way = forwardTo(server.address);
    expect(textOf(await way.call(bytesOf("x")))).toBe("yes");
  });
});

/** Closes it at the end. */
async function disposable(proxy: Promise<TcpProxy>): Promise<TcpProxy & AsyncDisposable> {
  const made = await proxy;
  return Object.assign(made, { [Symbol.asyncDispose]: () => made.close() });
}

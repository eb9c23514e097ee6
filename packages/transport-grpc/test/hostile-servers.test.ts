import { once } from "node:events";
import type { Socket, AddressInfo } from "node:net";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import type { BytesTypeConfig } from "@seshat/common";
import { InvalidValueError, NotLeaderError, RemoteError, UnreachableError } from "@seshat/common";
import { BYTES_CODEC } from "@seshat/common/codec";
import { parseAddress } from "../src/address.js";
import { Link } from "../src/client/link.js";
import { makeGrpcConfig } from "../src/config.js";
import { errorToBytes } from "../src/wire/errors.js";
import { methodCodecs } from "../src/wire/methods.js";
import { VOTE, append, connectTo, entry, failure, listen, willing } from "./messages.js";
import type { RawRequest } from "./raw-http2.js";
import { RawServer } from "./raw-http2.js";
import { TcpProxy } from "./tcp-proxy.js";

const BY = { from: 2n, incarnation: 9n };
const GRANTED = { case: "vote", value: { term: 3n, granted: true } } as const;

/** A place where connections are taken, and nothing else happens. */
async function silentPlace(stack: AsyncDisposableStack): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("a peer that does not answer", () => {
  test("because it takes the connection and stays silent: the call is rejected when the connection is not made in time", async () => {
    await using stack = new AsyncDisposableStack();
    using network = connectTo(await silentPlace(stack), { config: { connectTimeoutMs: 50 } });
    const error = await failure(network.vote(VOTE));
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error.message).toContain("no connection within 50 ms");
  });

  test("because it is not there: the call is rejected, and those that follow at once wait for no connection", async () => {
    using network = connectTo("127.0.0.1:9", { config: { reconnectMinMs: 60_000, reconnectMaxMs: 60_000 } });
    expect((await failure(network.vote(VOTE))).message).toContain("ECONNREFUSED");
    const begun = performance.now();
    expect((await failure(network.vote(VOTE))).message).toContain("ECONNREFUSED");
    expect(performance.now() - begun).toBeLessThan(1000);
  });

  test("to some requests: those are rejected at their deadline, and their room is free, and others go on", async () => {
    await using server = await RawServer.start(({ request, answer }) => {
      if (request.body.case !== "readIndex") answer({ id: request.id, header: BY, body: GRANTED });
    });
    // Long enough that a slow machine has answered the vote by then: without a sign of life the link would be given up.
    const config = {
      deadlinesMs: { readIndex: 1000, vote: 60_000 },
      maxInFlightRequests: 20,
      maxInFlightBytes: 110,
    };
    using network = connectTo(server.address, { config });
    expect((await network.vote(VOTE)).granted).toBe(true);
    for (let round = 0; round < 2; round++) {
      const reads = Array.from({ length: 12 }, () =>
        failure(network.readIndex({ lease: false, header: VOTE.header })),
      );
      expect((await network.vote(VOTE)).granted).toBe(true);
      for (const { message } of await Promise.all(reads)) expect(message).toContain("no answer in time");
    }
    expect((await network.vote(VOTE)).granted).toBe(true);
  });

  test("to anything: so many requests wait, and the next are rejected at once", async () => {
    await using server = await RawServer.start(() => {});
    using network = connectTo(server.address, { config: { maxInFlightRequests: 3 } });
    const waiting = [1, 2, 3].map(() => failure(network.vote(VOTE)));
    expect((await failure(network.vote(VOTE))).message).toContain("3 requests are on their way already");
    const [first, ...others] = await Promise.all(waiting);
    expect(first?.message).toContain("no answer in time");
    // A link without any answer is given up as a whole.
    for (const error of others) expect(error.message).toMatch(/no answer in time|it answers nothing/);
  });
});

test("what a peer does not read is bounded by bytes, a larger request goes alone, and what is stuck is let go", async () => {
  const seen: Promise<void>[] = [];
  // It takes the stream, and nothing that comes on it.
  await using server = await RawServer.start(
    () => {},
    (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      stream.pause();
      const { session } = stream;
      if (session !== undefined) seen.push(once(session, "close").then(() => {}));
      return false;
    },
    { initialWindowSize: 1000 },
  );
  const config = { maxInFlightBytes: 100_000, deadlinesMs: { appendEntries: 200 } };
  using network = connectTo(server.address, { config });
  const large = failure(network.appendEntries(append(entry(2, 200_000))));
  expect((await failure(network.appendEntries(append(entry(3, 10))))).message).toContain(
    "bytes are on their way already",
  );
  expect((await large).message).toContain("no answer in time");
  // What could not be sent went with its connection.
  await seen[0];
  // The next goes over another.
  while (seen.length < 2) {
    const { message } = await failure(network.appendEntries(append(entry(4, 200_000))));
    expect(message).toMatch(/in time|answers nothing/);
  }
});

test("what would exceed the bytes in flight is rejected, though something smaller still has room", async () => {
  await using server = await RawServer.start(() => {});
  using network = connectTo(server.address, { config: { maxInFlightBytes: 100_000 } });
  const waiting = [failure(network.appendEntries(append(entry(2, 60_000))))];
  const refused = await failure(network.appendEntries(append(entry(3, 50_000))));
  expect(refused.message).toContain("bytes are on their way already");
  waiting.push(failure(network.appendEntries(append(entry(3, 30_000)))));
  network.close();
  for (const { message } of await Promise.all(waiting))
    expect(message).toContain("the connection was closed");
});

test("a message that is too large is rejected where it is sent, and the connection stays", async () => {
  await using listener = await listen();
  using network = connectTo(listener.address, { config: { maxMessageBytes: 10_000 } });
  const error = await failure(network.appendEntries(append(entry(2, 20_000))));
  expect(error).toBeInstanceOf(InvalidValueError);
  expect(error.message).toContain("maxMessageBytes");
  expect((await network.appendEntries(append(entry(2, 100)))).type).toBe("success");
});

describe("a peer that answers what nobody asked", () => {
  const rejected: readonly (readonly [string, (request: RawRequest) => void])[] = [
    [
      "with an answer to another method",
      ({ request: { id }, answer }) => answer({ id, header: BY, body: { case: "readIndex", value: {} } }),
    ],
    ["without saying who answers", ({ request: { id }, answer }) => answer({ id, body: GRANTED })],
    ["with nothing", ({ request: { id }, answer }) => answer({ id, header: BY })],
    [
      "with a number past 2^53",
      ({ request: { id }, answer }) =>
        answer({ id, header: BY, body: { case: "vote", value: { term: 2n ** 53n, granted: true } } }),
    ],
    ["with bytes that are no message", ({ stream }) => stream.write(Buffer.from("0000000003ffffff", "hex"))],
    ["with a message larger than allowed", ({ stream }) => stream.write(Buffer.from("00ffffffff", "hex"))],
    ["with the end of the stream", ({ stream }) => stream.end()],
    ["with the end of the connection", ({ stream }) => stream.session?.destroy()],
  ];

  test.for(rejected)(
    "%s: the call is rejected, and the next goes over a new connection",
    async ([name, misbehave]) => {
      let isWrong = true;
      await using server = await RawServer.start((request) => {
        if (isWrong) misbehave(request);
        else request.answer({ id: request.request.id, header: BY, body: GRANTED });
        isWrong = false;
      });
      // An end without a status is noticed by the deadline alone. All else is at once.
      const isSilent = name === "with the end of the stream";
      const config = { deadlinesMs: { vote: isSilent ? 200 : 60_000 } };
      using network = connectTo(server.address, { config });
      const error = await failure(network.vote(VOTE));
      expect(error).toBeInstanceOf(UnreachableError);
      if (!isSilent) expect(error.message).not.toMatch(/in time|answers nothing/);
      for (;;) {
        const answer = await network.vote(VOTE).catch(() => null);
        if (answer === null) continue;
        expect(answer).toEqual({ term: 3, granted: true, header: { from: 2, incarnation: 9 } });
        break;
      }
    },
  );

  test("is not listened to: neither answers to other requests nor second answers count", async () => {
    await using server = await RawServer.start(({ request: { id }, answer }) => {
      const granted = id % 2 === 1;
      answer({ id: id + 1000, header: BY, body: { case: "vote", value: { term: 9n, granted: false } } });
      answer({ id, header: BY, body: { case: "vote", value: { term: BigInt(id), granted } } });
      answer({ id, header: BY, body: { case: "vote", value: { term: 9n, granted: !granted } } });
    });
    using network = connectTo(server.address);
    for (let id = 1; id <= 4; id++) {
      expect(await network.vote(VOTE)).toMatchObject({ term: id, granted: id % 2 === 1 });
    }
  });
});

test("a call that is open when its connection breaks is never answered by the next one", async () => {
  const asked: RawRequest[] = [];
  await using server = await RawServer.start((request) => asked.push(request));
  await using proxy = await disposable(TcpProxy.start(server.address));
  using network = connectTo(proxy.address);
  const lost = failure(network.vote(VOTE));
  while (asked.length < 1) await new Promise(setImmediate);
  proxy.cut();
  expect(await lost).toBeInstanceOf(UnreachableError);
  // The new link numbers its requests anew: the first has the number that the lost one had.
  const answers: Promise<unknown>[] = [];
  while (asked.length < 2) {
    answers.push(network.vote({ ...VOTE, term: 7 }).catch((error: unknown) => error));
    await new Promise(setImmediate);
  }
  expect(asked[1]?.request.id).toBe(asked[0]?.request.id);
  for (const [i, { request, answer }] of asked.entries()) {
    answer({
      id: request.id,
      header: BY,
      body: { case: "vote", value: { term: i === 0 ? 1n : 8n, granted: true } },
    });
  }
  const results = await Promise.race(answers);
  expect(results === undefined || (results as { term?: number }).term !== 1).toBe(true);
});

test("a peer that ends the stream in good order is left at once, and whoever waits is told", async () => {
  await using server = await RawServer.start(
    () => {},
    (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.once("data", () => stream.end());
      return false;
    },
  );
  using network = connectTo(server.address, { config: { deadlinesMs: { vote: 60_000 } } });
  expect((await failure(network.vote(VOTE))).message).toContain("the peer ended the stream");
});

test("a link tells its lane of every answer, errors included: the peer is there", async () => {
  let isDone = false;
  await using server = await RawServer.start(({ request: { id }, answer }) => {
    if (isDone) answer({ id, body: { case: "error", value: { code: "overloaded", message: "no" } } });
    else answer({ id, header: BY, body: GRANTED });
    isDone = true;
  });
  let answers = 0;
  const parts = { way: "control", target: 2, address: parseAddress("server", server.address) } as const;
  const events = { answered: () => answers++, ended: () => {} };
  const link = new Link({ ...parts, ...events, tls: undefined, config: makeGrpcConfig() }, VOTE.header);
  const { vote } = methodCodecs<BytesTypeConfig>(BYTES_CODEC);
  for (let sent = 1; sent <= 2; sent++) {
    await new Promise<void>((resolve) => {
      const outcome = { answered: () => resolve(), failed: () => resolve() };
      link.send(VOTE.header, vote.encodeRequest(VOTE), 60_000, outcome);
    });
    expect(answers).toBe(sent);
  }
  link.end(new UnreachableError(2, "that was all"));
});

describe("errors of a peer", () => {
  test("that end a stream are of their class, with their fields", async () => {
    const error = new NotLeaderError(3, { addr: "somewhere" });
    await using server = await RawServer.start(
      () => {},
      (stream) => {
        stream.respond(
          {
            ":status": 200,
            "content-type": "application/grpc",
            "grpc-status": "7",
            "seshat-error-bin": Buffer.from(errorToBytes(error)).toString("base64"),
          },
          { endStream: true },
        );
        return false;
      },
    );
    using network = connectTo(server.address);
    expect(await failure(network.vote(VOTE))).toStrictEqual(error);
  });

  test("that cannot be read are as good as none", async () => {
    await using server = await RawServer.start(
      () => {},
      (stream) => {
        stream.respond(
          {
            ":status": 200,
            "content-type": "application/grpc",
            "grpc-status": "7",
            "grpc-message": "no",
            "seshat-error-bin": "////",
          },
          { endStream: true },
        );
        return false;
      },
    );
    using network = connectTo(server.address);
    expect((await failure(network.vote(VOTE))).message).toContain("unreachable: no");
  });

  test("keep what can be said of them, whatever was thrown", async () => {
    const thrown: unknown[] = [
      new RangeError("half a character: \ud800"),
      "a text",
      undefined,
      { toString: null },
    ];
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- that is the point
    await using listener = await listen(willing({ vote: () => Promise.reject(thrown.shift()) }));
    using network = connectTo(listener.address);
    while (thrown.length > 0) expect(await failure(network.vote(VOTE))).toBeInstanceOf(RemoteError);
  });
});

/** Closes it at the end. */
async function disposable(proxy: Promise<TcpProxy>): Promise<TcpProxy & AsyncDisposable> {
  const made = await proxy;
  return Object.assign(made, { [Symbol.asyncDispose]: () => made.close() });
}

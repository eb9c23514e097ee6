import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { BYTES_CODEC, EntryCodec } from "@seshat/common/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAddress } from "../src/address.js";
import { RequestSchema } from "../src/generated/seshat/raft/v1/raft_pb.js";
import { META } from "../src/service.js";
import { append, connectTo, entry, listen, serves, willing } from "./messages.js";
import type { RawStream } from "./raw-http2.js";
import { RawClient, frame, request } from "./raw-http2.js";

const INVALID_ARGUMENT = "3";
const RESOURCE_EXHAUSTED = "8";
const UNIMPLEMENTED = "12";

const WIRE_HEADER = { clusterId: "seshat", from: 1n, incarnation: 5n, to: 2n, toIncarnation: 0n };
const VOTE_BODY = {
  case: "vote",
  value: { term: 3n, candidateId: 1n, lastLogId: { term: 1n, index: 1n }, transfer: false },
} as const;
const HEARTBEAT_BODY = {
  case: "appendEntries",
  value: {
    term: 1n,
    leaderId: 1n,
    prevLogId: { term: 0n, index: 0n },
    leaderCommit: 0n,
    entries: new Uint8Array(0),
  },
} as const;

describe("a node goes on serving when somebody sends it", () => {
  test.for([
    ["what is not HTTP/2", Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n")],
    ["nothing that makes sense", Buffer.alloc(100_000, 0xff)],
    [
      "the greeting of HTTP/2, and then frames of no known shape",
      Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Buffer.alloc(10_000, 0x7f)]),
    ],
    [
      "the greeting, and a frame far larger than allowed",
      Buffer.concat([
        Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        Buffer.from("000000040000000000", "hex"),
        Buffer.from("ffffff000100000001", "hex"),
      ]),
    ],
  ] as const)("%s: the connection is closed", async ([, bytes]) => {
    await using listener = await listen();
    const socket = connect(parseAddress("listener", listener.address));
    socket.on("error", () => {});
    socket.resume();
    socket.write(bytes);
    await once(socket, "close");
    expect(await serves(listener)).toBe(true);
  });

  test("a method that it does not have", async () => {
    await using listener = await listen();
    await using client = new RawClient(listener.address);
    expect(await client.open("/seshat.raft.v1.RaftService/Overthrow").status).toBe(UNIMPLEMENTED);
    expect(await client.open("/seshat.raft.v2.RaftService/Control").status).toBe(UNIMPLEMENTED);
    expect(await serves(listener)).toBe(true);
  });

  test.for([
    ["bytes that are no message", frame(Buffer.from("ffffffffffffffff", "hex")), INVALID_ARGUMENT],
    ["an empty message", frame(new Uint8Array(0)), INVALID_ARGUMENT],
    ["a request that does not say who asks", request({ id: 1, body: VOTE_BODY }), INVALID_ARGUMENT],
    [
      "a header with a number past 2^53",
      request({ id: 1, header: { ...WIRE_HEADER, from: 2n ** 53n }, body: VOTE_BODY }),
      INVALID_ARGUMENT,
    ],
    ["a message that says it is 4 GiB long", frame(new Uint8Array(10), 2 ** 32 - 1), RESOURCE_EXHAUSTED],
    [
      "a message that says it is compressed, and is not",
      Buffer.from("0100000003aabbcc", "hex"),
      INVALID_ARGUMENT,
    ],
  ] as const)("%s: the stream is ended", async ([, bytes, status]) => {
    await using listener = await listen();
    await using client = new RawClient(listener.address);
    const stream = client.open("control");
    stream.send(bytes);
    expect(await stream.status).toBe(status);
    expect(await serves(listener)).toBe(true);
  });

  test("more than what is urgent may be long, where what is urgent goes", async () => {
    await using listener = await listen();
    await using client = new RawClient(listener.address);
    const stream = client.open("control");
    const entries = new Uint8Array(64 * 1024);
    const body = { case: "appendEntries", value: { ...HEARTBEAT_BODY.value, entries } } as const;
    stream.send(request({ id: 1, header: WIRE_HEADER, body }));
    expect(await stream.status).toBe(INVALID_ARGUMENT);
    expect(await serves(listener)).toBe(true);
  });

  test.for([
    ["a term past 2^53", { ...VOTE_BODY, value: { ...VOTE_BODY.value, term: 2n ** 60n } }, "invalidValue"],
    ["a vote without a last entry", { case: "vote", value: { term: 1n, candidateId: 1n } }, "invalidValue"],
    ["what does not go this way", { case: "installSnapshot", value: {} }, "invalidValue"],
    ["what no version that it knows asks for", { case: undefined }, "invalidValue"],
    [
      "entries that are damaged",
      { case: "appendEntries", value: { ...HEARTBEAT_BODY.value, entries: Uint8Array.of(0, 0, 0, 9, 1) } },
      "codec",
    ],
  ] as const)("%s: that is answered with an error, and the stream goes on", async ([, body, code]) => {
    await using listener = await listen();
    await using client = new RawClient(listener.address);
    const stream = client.open("control");
    stream.send(request({ id: 7, header: WIRE_HEADER, body }));
    stream.send(request({ id: 8, body: VOTE_BODY }));
    const [refused, granted] = await stream.answers(2);
    expect(refused).toMatchObject({ id: 7, body: { case: "error", value: { code } } });
    expect(granted).toMatchObject({ id: 8, body: { case: "vote", value: { granted: true } } });
  });

  test.for([
    ["nothing of who opens it", {}],
    ["an id that is none", { [META.cluster]: "seshat", [META.from]: "-1" }],
    ["a cluster that cannot be read", { [META.cluster]: "%", [META.from]: "1" }],
  ] as const)("a stream that says %s: it is refused", async ([, headers]) => {
    await using listener = await listen();
    await using client = new RawClient(listener.address);
    expect(await client.open("control", headers).status).toBe(INVALID_ARGUMENT);
    expect(await serves(listener)).toBe(true);
  });

  test("requests of which anything is changed", async () => {
    await using listener = await listen();
    const whole = toBinary(
      RequestSchema,
      create(RequestSchema, { id: 1, header: WIRE_HEADER, body: HEARTBEAT_BODY }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(whole.length),
        async (changes, length) => {
          await using client = new RawClient(listener.address);
          const bytes = whole.slice();
          for (const [at, byte] of changes) bytes[at] = byte;
          const stream = client.open("control");
          stream.send(frame(bytes.subarray(0, length)));
          stream.send(request({ id: 2, header: WIRE_HEADER, body: VOTE_BODY }));
          // Either it is found out, or it is another request, and the next is answered as ever.
          await Promise.race([stream.status, stream.answers(2)]);
        },
      ),
      { numRuns: 60 },
    );
    expect(await serves(listener)).toBe(true);
  });
});

describe("nothing grows without bounds", () => {
  test("a peer that does not read its answers is not read from any more, and others are served", async () => {
    let handled = 0;
    const raft = willing();
    const counting = willing({
      appendEntries: (heartbeat) => {
        handled++;
        return raft.appendEntries(heartbeat);
      },
    });
    const limit = 50;
    const total = 2000;
    await using listener = await listen(counting, { config: { maxInFlightRequests: limit } });
    // No answer gets through until it says so.
    await using client = new RawClient(listener.address, { settings: { initialWindowSize: 0 } });
    const stream = client.open("control");
    for (let id = 1; id <= total; id++)
      stream.send(request({ id, header: WIRE_HEADER, body: HEARTBEAT_BODY }));
    while (handled < limit) await setImmediate();
    for (let i = 0; i < 20; i++) expect(await serves(listener)).toBe(true);
    // Some answers fit in what the system keeps by itself.
    expect(handled).toBeLessThan(limit + 40);
    stream.stream.session?.settings({ initialWindowSize: 1_000_000 });
    const answers = await stream.answers(total);
    expect(answers.map(({ id }) => id)).toEqual(Array.from({ length: total }, (_, i) => i + 1));
    expect(handled).toBe(total);
  });

  test("what is at work for a peer is bounded, and what does not end is answered with an error", async () => {
    const begunAt: number[] = [];
    const hanging = willing({
      readIndex: () => {
        begunAt.push(performance.now());
        return new Promise(() => {});
      },
    });
    const config = { maxInFlightRequests: 10, deadlinesMs: { readIndex: 50 } };
    await using listener = await listen(hanging, { config });
    await using client = new RawClient(listener.address);
    const stream = client.open("control");
    const body = { case: "readIndex", value: { lease: false } } as const;
    for (let id = 1; id <= 30; id++) stream.send(request({ id, header: WIRE_HEADER, body }));
    const answers = await stream.answers(30);
    for (const answer of answers) expect(answer.body).toMatchObject({ value: { code: "unreachable" } });
    // The eleventh begins when the first is given up, and no earlier.
    expect((begunAt[10] as number) - (begunAt[0] as number)).toBeGreaterThan(45);
  });

  test("what is at work for a peer keeps its bytes, also when nobody waits for it any more and its stream is over", async () => {
    const begun: (() => void)[] = [];
    const { appendEntries } = willing();
    const held = willing({
      appendEntries: async (received) => {
        await new Promise<void>((resolve) => begun.push(resolve));
        return appendEntries(received);
      },
    });
    const config = { maxInFlightBytes: 10_000, deadlinesMs: { appendEntries: 20 } };
    await using listener = await listen(held, { config });
    const entries = new EntryCodec(BYTES_CODEC).encodeEntries([entry(1, 990)]);
    const body = { ...HEARTBEAT_BODY, value: { ...HEARTBEAT_BODY.value, entries } };
    const message = (id: number): Buffer => request({ id, header: WIRE_HEADER, body });
    const room = Math.ceil(config.maxInFlightBytes / (message(1).length - 5));
    const send = (client: RawClient): RawStream => {
      const stream = client.open("replicate");
      for (let id = 1; id <= 30; id++) stream.send(message(id));
      return stream;
    };
    {
      await using first = new RawClient(listener.address);
      const answers = await send(first).answers(room);
      for (const answer of answers) expect(answer.body).toMatchObject({ value: { code: "unreachable" } });
      for (let i = 0; i < 10; i++) expect(await serves(listener)).toBe(true);
      expect(begun).toHaveLength(room);
    }
    await using second = new RawClient(listener.address);
    const stream = send(second);
    for (let i = 0; i < 10; i++) expect(await serves(listener)).toBe(true);
    expect(begun).toHaveLength(room);
    for (let done = 0; done < room + 30; done++) {
      while (begun.length <= done) await setImmediate();
      begun[done]?.();
    }
    expect(await stream.answers(30)).toHaveLength(30);
  });

  test("who connects and says nothing is cut off, and so is who ends its last stream", async () => {
    await using listener = await listen(willing(), { config: { idleTimeoutMs: 50 } });
    const silent = connect(parseAddress("listener", listener.address));
    silent.resume();
    await once(silent, "close");
    const client = new RawClient(listener.address);
    const stream = client.open("control");
    stream.send(request({ id: 1, header: WIRE_HEADER, body: VOTE_BODY }));
    await stream.answers(1);
    stream.stream.end();
    await client.closed;
    expect(await serves(listener)).toBe(true);
  });

  test("connections past the limit are closed, and there is room again when others go", async () => {
    await using listener = await listen(willing(), { config: { maxConnections: 2, idleTimeoutMs: 60_000 } });
    const address = parseAddress("listener", listener.address);
    const [first, second] = [connect(address), connect(address)];
    await Promise.all([once(first, "connect"), once(second, "connect")]);
    while (listener.connections < 2) await setImmediate();
    const third = connect(address);
    third.on("error", () => {});
    third.resume();
    await once(third, "close");
    first.destroy();
    while (listener.connections > 1) await setImmediate();
    expect(await serves(listener)).toBe(true);
    second.destroy();
  });

  test("of many streams of one peer the oldest end", async () => {
    await using listener = await listen();
    await using clients = new AsyncDisposableStack();
    const streams = [];
    for (let i = 0; i < 6; i++) {
      const stream = clients.use(new RawClient(listener.address)).open("control");
      stream.send(request({ id: 1, header: WIRE_HEADER, body: VOTE_BODY }));
      await stream.answers(1);
      streams.push(stream);
    }
    expect(await streams[0]?.status).toBe("0");
    expect(await streams[1]?.status).toBe("0");
    const last = streams[5];
    last?.send(request({ id: 2, body: VOTE_BODY }));
    expect(await last?.answers(2)).toHaveLength(2);
  });
});

test("close ends with connections open, and the port is free again", async () => {
  const listener = await listen(willing({ appendEntries: () => new Promise(() => {}) }));
  using network = connectTo(listener.address);
  const open = network.appendEntries(append(entry(2, 10)));
  open.catch(() => {});
  await network.vote({ ...append(), candidateId: 1, lastLogId: { term: 1, index: 1 }, transfer: false });
  await listener.close();
  await expect(open).rejects.toThrow("unreachable");
  await using again = await listen(willing());
  expect(await serves(again)).toBe(true);
});

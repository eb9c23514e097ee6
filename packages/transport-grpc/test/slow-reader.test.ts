import type { ServerHttp2Stream } from "node:http2";
import { setTimeout as pause } from "node:timers/promises";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BYTES_CODEC } from "@seshat/common/codec";
import { expect, test } from "vitest";
import { parseAddress } from "../src/address.js";
import { Link } from "../src/client/link.js";
import { makeGrpcConfig } from "../src/config.js";
import { RequestSchema, ResponseSchema } from "../src/generated/seshat/raft/v1/raft_pb.js";
import { methodCodecs } from "../src/wire/methods.js";
import { HEADER, append, entry } from "./messages.js";
import { RawServer, frame, unframe } from "./raw-http2.js";

const ENTRY_BYTES = 30_000;
/** Far more than what the system and the reader keep between them. */
const MAX_IN_FLIGHT = 300_000;
/** Time for two entries, not for all that have room. */
const DEADLINE_MS = 200;
const BYTES_PER_MS = (2 * ENTRY_BYTES) / DEADLINE_MS;
/** What may be between the two processes: as much as the reader lets HTTP/2 send. */
const WINDOW = 16_384;

/** Takes so many bytes of its stream at a time, when it is told to, and answers each request that is complete. */
class SlowReader {
  readonly #buffered = { bytes: Buffer.alloc(0) };
  readonly stream: ServerHttp2Stream;
  readonly since = performance.now();
  taken = 0;

  constructor(stream: ServerHttp2Stream) {
    this.stream = stream;
  }

  /** Bytes that have left the sender, as far as is known here. */
  get arrived(): number {
    return this.taken + this.stream.readableLength;
  }

  take(bytes: number): void {
    const length = Math.min(Math.floor(bytes), this.stream.readableLength);
    const chunk = length < 1 ? null : (this.stream.read(length) as Buffer | null);
    if (chunk === null) return;
    this.taken += chunk.length;
    this.#buffered.bytes = Buffer.concat([this.#buffered.bytes, chunk]);
    for (const message of unframe(this.#buffered)) {
      const { id } = fromBinary(RequestSchema, message);
      const outcome = { case: "matchIndex", value: 2n } as const;
      const body = { case: "appendEntries", value: { term: 1n, outcome } } as const;
      const answer = create(ResponseSchema, { id, header: { from: 2n, incarnation: 9n }, body });
      this.stream.write(frame(toBinary(ResponseSchema, answer)));
    }
  }
}

test("what a sender keeps for a slow reader never exceeds the bound, whatever it gives up in between", async () => {
  const readers: SlowReader[] = [];
  await using server = await RawServer.start(
    () => {},
    (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      readers.push(new SlowReader(stream));
      return false;
    },
    { initialWindowSize: WINDOW },
  );
  const config = makeGrpcConfig({ maxInFlightBytes: MAX_IN_FLIGHT });
  const { appendEntries } = methodCodecs(BYTES_CODEC);
  const seen = { refused: 0, late: 0, answered: 0, ended: 0, most: 0 };
  while (seen.ended < 5 || seen.answered === 0) {
    let isOver = false;
    let accepted = 0;
    const ended = (): void => {
      isOver = true;
      seen.ended++;
    };
    const parts = { way: "replicate", target: 2, address: parseAddress("server", server.address) } as const;
    const link = new Link({ ...parts, tls: undefined, config, answered: () => {}, ended }, HEADER);
    const outcome = { answered: () => seen.answered++, failed: () => seen.late++ };
    const count = readers.length;
    // More than it takes is always offered, and much of that is late.
    for (let step = 0; step < 1000 && !isOver; step++) {
      for (let i = 0; i < 10; i++) {
        try {
          link.send(HEADER, appendEntries.encodeRequest(append(entry(2, ENTRY_BYTES))), DEADLINE_MS, outcome);
          accepted += ENTRY_BYTES;
        } catch {
          seen.refused++;
        }
      }
      await pause(1);
      const reader = readers[count];
      reader?.take(BYTES_PER_MS * (performance.now() - reader.since) - reader.taken);
      if (!isOver) seen.most = Math.max(seen.most, accepted - (reader?.arrived ?? 0));
    }
    if (!isOver) link.end(new Error("that was long enough"));
  }
  expect(seen.refused).toBeGreaterThan(0);
  expect(seen.late).toBeGreaterThan(0);
  expect(seen.most).toBeGreaterThan(MAX_IN_FLIGHT / 2);
  expect(seen.most).toBeLessThanOrEqual(MAX_IN_FLIGHT + WINDOW);
});

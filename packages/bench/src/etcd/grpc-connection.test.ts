import { once } from "node:events";
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { GrpcConnection } from "./grpc-connection.js";

let server: Http2Server;
let answer: (stream: ServerHttp2Stream, path: string, message: Buffer) => void;
let seen: IncomingHttpHeaders;
let connection: GrpcConnection;
let failed: Promise<Error>;

beforeEach(async () => {
  server = createServer();
  server.on("stream", (stream, headers) => {
    seen = headers;
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => answer(stream, String(headers[":path"]), Buffer.concat(chunks)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const told = Promise.withResolvers<Error>();
  failed = told.promise;
  connection = await GrpcConnection.open((server.address() as AddressInfo).port, told.resolve);
});

afterEach(() => {
  connection.close();
  server.close();
});

/** A message comes in two pieces, and then the status. */
function succeed(stream: ServerHttp2Stream, message: Buffer): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.write(message.subarray(0, 1));
  stream.end(message.subarray(1));
}

test("calls are answered whole, each with its own answer, whatever their order", async () => {
  const waiting: (() => void)[] = [];
  answer = (stream, path, message) => {
    waiting.push(() => succeed(stream, Buffer.concat([Buffer.from(path), message])));
    // The last comes first.
    if (waiting.length === 20) for (const act of waiting.toReversed()) act();
  };
  const answers = await Promise.all(
    Array.from(
      { length: 20 },
      (_, n) =>
        new Promise<Buffer | null>((resolve) =>
          connection.call("/etcd.KV/Put", Buffer.from([n, 7]), resolve),
        ),
    ),
  );
  expect(seen).toMatchObject({ ":method": "POST", "content-type": "application/grpc", te: "trailers" });
  expect(answers.map(String)).toEqual(
    Array.from({ length: 20 }, (_, n) =>
      String(Buffer.concat([Buffer.from("/etcd.KV/Put"), Buffer.from([n, 7])])),
    ),
  );
});

test("a call that is refused has no answer", async () => {
  answer = (stream) =>
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", "grpc-status": "14" },
      { endStream: true },
    );
  const refused = await new Promise<Buffer | null>((resolve) =>
    connection.call("/etcd.KV/Put", Buffer.from([0]), resolve),
  );
  expect(refused).toBeNull();
});

test("a connection that ends with calls under way says so", async () => {
  answer = (stream) => stream.session?.destroy();
  connection.call("/etcd.KV/Put", Buffer.from([0]), () => expect.unreachable());
  expect((await failed).message).toMatch(/^etcd ended a call$|ended a connection with calls under way/);
});

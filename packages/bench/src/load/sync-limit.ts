import { once } from "node:events";
import { fdatasync, write } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const SYNCS = 100;
const BLOCK_BYTES = 4096;

/** How many syncs a second the disk makes, one at a time, of a file that grows by 4 KiB for each: what a durable write waits for at least. */
export async function syncLimit(): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), "seshat-sync-"));
  try {
    await using file = await open(join(dir, "file"), "w");
    const block = new Uint8Array(BLOCK_BYTES);
    const startedAt = performance.now();
    for (let i = 0; i < SYNCS; i += 1) {
      await promisify(write)(file.fd, block);
      await promisify(fdatasync)(file.fd);
    }
    return (SYNCS / (performance.now() - startedAt)) * 1000;
  } finally {
    await rm(dir, { recursive: true });
  }
}

const TRIPS = 500;
const PING_BYTES = 128;

/** How many microseconds a round trip over loopback takes between two sockets of this process, a message of 128 B at a time: what a message waits for at least. */
export async function roundTripUs(): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => socket.pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", noDelay: true });
  try {
    await once(socket, "connect");
    const ping = new Uint8Array(PING_BYTES);
    const startedAt = performance.now();
    for (let trip = 0; trip < TRIPS; trip += 1) {
      socket.write(ping);
      for (let came = 0; came < PING_BYTES;) came += ((await once(socket, "data")) as [Uint8Array])[0].length;
    }
    return ((performance.now() - startedAt) / TRIPS) * 1000;
  } finally {
    socket.destroy();
    server.close();
  }
}

import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";
import type { Bench } from "../bench.js";
import { VerificationError } from "../cluster/tally.js";
import { KEYS, ask, verifyWritten } from "../redis/run-benchmark.js";
import { SERVERS } from "../redis/servers.js";
import { compareTwins } from "../redis/twins.js";
import { count, micros, percent, text } from "../statistics/cells.js";

const IDLE = 10_000;
/** Connections that are begun at once. */
const AT_ONCE = 500;

/** Whether commands cost more where many are connected that say nothing, and what a connection takes. */
export const redisIdle: Bench = {
  name: "redis-idle",
  about: "redis-benchmark on a durable node beside 10,000 idle connections, and on one without",
  notes: [
    'Both nodes run at the same time and are measured by turns. "share" is what the node with idle connections reaches of the other. Each of them has sent one PING. Memory',
    "is what they have added to the process, by the connection; buffers of the system do not count in it. The system has to allow 10,100 open files a process.",
  ],
  keys: ["command", "pipeline"],
  compared: ["otherPerSec", "share", "bytesPerConnection"],
  columns: [
    text("command", "command"),
    text("pipeline", "pipeline"),
    count("idle", "idle"),
    count("alone, /s", "plainPerSec"),
    count("beside idle, /s", "otherPerSec"),
    percent("share", "share"),
    micros("alone, CPU us", "plainCpuUs"),
    micros("beside idle, CPU us", "otherCpuUs"),
    micros("alone, p99 us", "plainP99Us"),
    micros("beside idle, p99 us", "otherP99Us"),
    count("bytes a connection", "bytesPerConnection"),
    percent("spread", "spread"),
  ],
  async *run(settings) {
    await using alone = await SERVERS.seshat();
    await using beside = await SERVERS.seshat();
    const wanted = Math.max(1, Math.round(IDLE * settings.scale));
    await ask(beside.port, "CONFIG SET maxclients 20000\r\n", /\r\n$/);
    const before = await beside.residentBytes();
    settings.progress(`connecting ${wanted} clients`);
    const idle = await connectIdle(beside.port, wanted);
    try {
      const bytesPerConnection = Math.round(((await beside.residentBytes()) - before) / wanted);
      for (const pipeline of [1, 16]) {
        for (const command of ["set", "get"] as const) {
          const load = { command, pipeline };
          const compared = await compareTwins(
            { server: alone, keys: KEYS },
            { server: beside, keys: KEYS },
            load,
            settings,
          );
          await verifyWritten(beside.port);
          const connected = await connectedClients(beside.port);
          if (connected < wanted)
            throw new VerificationError(`of ${wanted} idle clients ${connected} are left`);
          yield { bench: "redis-idle", ...compared, idle: wanted, bytesPerConnection, verified: true };
        }
      }
    } finally {
      for (const socket of idle) socket.destroy();
    }
  },
};

/** Connections that have said PING once. */
async function connectIdle(port: number, wanted: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < wanted) {
    const next = Array.from({ length: Math.min(AT_ONCE, wanted - sockets.length) }, () =>
      connect({ port, host: "127.0.0.1" }),
    );
    sockets.push(...next);
    await Promise.all(
      next.map(async (socket) => {
        socket.write("PING\r\n");
        await once(socket, "data");
      }),
    );
  }
  return sockets;
}

async function connectedClients(port: number): Promise<number> {
  const info = await ask(port, "INFO clients\r\n", /\r\n\r\n|\r\n$/);
  return Number(/connected_clients:(\d+)/.exec(info)?.[1] ?? 0);
}

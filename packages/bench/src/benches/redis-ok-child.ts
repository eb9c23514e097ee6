/**
 * The least that a server in Node can do: answers +OK to each command of redis-benchmark as soon as it is there, and looks at nothing but where commands begin.
 * Says its port on standard output.
 */
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";

const ASTERISK = 42;
const OKS = Buffer.from("+OK\r\n".repeat(64 * 1024));
const OK_BYTES = 5;

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    // Neither keys nor values of redis-benchmark hold an asterisk.
    let commands = 0;
    for (let at = chunk.indexOf(ASTERISK); at !== -1; at = chunk.indexOf(ASTERISK, at + 1)) commands += 1;
    if (commands > 0) socket.write(OKS.subarray(0, commands * OK_BYTES));
  });
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`listening on 127.0.0.1:${port}\n`);
});

import { randomInt } from "node:crypto";
import type { ChaosNetwork, Place } from "./network.js";
import { runCommand, runCommandNow } from "./run-command.js";

const CLIENT_PORT = 6379;
const PEER_PORT = 16_379;
/** Names begin with this and the process that made them, so that what a dead one left is known. */
const PREFIX = "chaos";

/**
 * Each node in a network namespace of its own, on one bridge; a cut is a rule in the receiver's namespace that drops what the sender
 * sends, silently, as a broken network does.
 */
export class NamespaceNetwork implements ChaosNetwork {
  readonly kind = "namespaces";
  readonly #run: string;
  readonly #subnet: string;
  readonly #places = new Map<number, Promise<Place>>();
  readonly #namespaces = new Map<number, string>();
  readonly #atExit = (): void => {
    for (const command of this.#removal()) runCommandNow(command);
  };

  private constructor(run: string, subnet: string) {
    this.#run = run;
    this.#subnet = subnet;
    process.on("exit", this.#atExit);
  }

  /** @returns null, and why, where this machine or this user may not make namespaces. */
  static async open(): Promise<NamespaceNetwork | { readonly problem: string }> {
    if (process.platform !== "linux") return { problem: "network namespaces are a thing of Linux" };
    // Up to 15 characters for an interface, one of them for the node.
    const run = `${process.pid.toString(36)}${randomInt(36 ** 2).toString(36)}`;
    const network = new NamespaceNetwork(run, `10.${randomInt(128, 250)}.${randomInt(1, 250)}`);
    try {
      await removeLeftovers();
      const bridge = network.#bridge;
      await runCommand(
        ["ip", "-batch", "-"],
        `link add ${bridge} type bridge\naddr add ${network.#subnet}.254/24 dev ${bridge}\nlink set ${bridge} up\n`,
      );
      // The first shows whether namespaces, interfaces and rules may be made.
      await network.place(1);
      return network;
    } catch (error) {
      await network.close();
      return { problem: (error as Error).message };
    }
  }

  place(id: number): Promise<Place> {
    let place = this.#places.get(id);
    if (place === undefined) this.#places.set(id, (place = this.#make(id)));
    return place;
  }

  async cut(from: number, to: number): Promise<void> {
    await this.#nft(to, `add rule ip ${PREFIX} in ip saddr ${this.#host(from)} drop\n`);
  }

  async mend(): Promise<void> {
    await Promise.all(
      [...this.#namespaces.keys()].map((id) => this.#nft(id, `flush chain ip ${PREFIX} in\n`)),
    );
  }

  async close(): Promise<void> {
    process.off("exit", this.#atExit);
    for (const command of this.#removal()) await runCommand(command).catch(() => {});
  }

  get #bridge(): string {
    return `${PREFIX}${this.#run}`;
  }

  #host(id: number): string {
    return `${this.#subnet}.${id}`;
  }

  async #make(id: number): Promise<Place> {
    const name = `${PREFIX}-${process.pid}-${this.#run}-${id}`;
    const link = `v${this.#run}${id}`;
    this.#namespaces.set(id, name);
    await runCommand(
      ["ip", "-batch", "-"],
      `netns add ${name}\nlink add ${link} type veth peer name eth0 netns ${name}\nlink set ${link} master ${this.#bridge} up\n`,
    );
    await runCommand(
      ["ip", "-netns", name, "-batch", "-"],
      `addr add ${this.#host(id)}/24 dev eth0\nlink set eth0 up\nlink set lo up\n`,
    );
    await this.#nft(
      id,
      `add table ip ${PREFIX}\nadd chain ip ${PREFIX} in { type filter hook input priority 0; policy accept; }\n`,
    );
    return {
      host: this.#host(id),
      clientPort: CLIENT_PORT,
      peerPort: PEER_PORT,
      prefix: ["ip", "netns", "exec", name],
      env: {},
      preloads: [],
    };
  }

  async #nft(id: number, script: string): Promise<void> {
    const name = this.#namespaces.get(id) ?? "";
    await runCommand(["ip", "netns", "exec", name, "nft", "-f", "-"], script);
  }

  #removal(): string[][] {
    return [
      ...[...this.#namespaces.values()].map((name) => ["ip", "netns", "del", name]),
      ["ip", "link", "del", this.#bridge],
    ];
  }
}

/** Removes what a run that was killed has left. */
async function removeLeftovers(): Promise<void> {
  const names = (await runCommand(["ip", "netns", "list"]))
    .split("\n")
    .map((line) => line.split(" ", 1)[0] ?? "");
  for (const name of names) {
    const [, pid, run] = new RegExp(`^${PREFIX}-(\\d+)-([0-9a-z]+)-\\d+$`).exec(name) ?? [];
    if (pid === undefined || run === undefined || isAlive(Number(pid))) continue;
    await runCommand(["ip", "netns", "del", name]).catch(() => {});
    await runCommand(["ip", "link", "del", `${PREFIX}${run}`]).catch(() => {});
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

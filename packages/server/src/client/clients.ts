import type { Client } from "./client.js";

/** The clients that are connected, by their ids, oldest first. */
export class Clients {
  readonly #byId = new Map<number, Client>();
  #lastId = 0;

  get size(): number {
    return this.#byId.size;
  }

  nextId(): number {
    return ++this.#lastId;
  }

  add(client: Client): void {
    this.#byId.set(client.id, client);
  }

  remove(client: Client): void {
    this.#byId.delete(client.id);
  }

  get(id: number): Client | undefined {
    return this.#byId.get(id);
  }

  [Symbol.iterator](): Iterator<Client> {
    return this.#byId.values();
  }
}

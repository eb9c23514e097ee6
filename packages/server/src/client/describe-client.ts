import type { Client } from "./client.js";

/** A line of CLIENT LIST, in the words of Redis. */
export function describeClient(client: Client, nowMs: number): string {
  const { state, buffered } = client;
  const seconds = (since: number): number => Math.max(0, Math.floor((nowMs - since) / 1000));
  const flags = `${state.transaction === null ? "" : "x"}${state.readsLocally ? "r" : ""}` || "N";
  const multi = state.transaction === null ? -1 : state.transaction.queue.length;
  return (
    `id=${client.id} addr=${state.address} laddr=${state.localAddress} fd=-1 name=${state.name} age=${seconds(state.createdMs)}` +
    ` idle=${seconds(state.lastActiveMs)} flags=${flags} db=0 sub=0 psub=0 ssub=0 multi=${multi} qbuf=${buffered.input} qbuf-free=0` +
    ` argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=${buffered.output} tot-mem=${buffered.input + buffered.output}` +
    ` events=r cmd=${state.lastCommand} user=default redir=-1 resp=${state.version} lib-name=${state.libraryName} lib-ver=${state.libraryVersion}`
  );
}

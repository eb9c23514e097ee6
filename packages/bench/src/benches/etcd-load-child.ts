/** The clients of etcd in a process of their own, as redis-benchmark is one: gets its load as JSON, and says what it came to. */
import type { EtcdLoad } from "../etcd/run-load.js";
import { runEtcdLoad } from "../etcd/run-load.js";

const load = JSON.parse(process.argv[2] ?? "") as EtcdLoad;
process.stdout.write(`${JSON.stringify(await runEtcdLoad(load))}\n`);

/**
 * Loaded before a benchmark by `node --import`: takes the packages of Seshat from the checkout that the environment names, so that
 * the same benchmark measures two checkouts, also one that is older than the benchmark.
 */
import { existsSync, readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

interface Manifest {
  readonly exports?: Readonly<Record<string, { readonly default?: string }>>;
}

const checkout = process.env["SESHAT_BENCH_CHECKOUT"];
if (checkout === undefined) throw new Error("SESHAT_BENCH_CHECKOUT names no checkout");

registerHooks({
  resolve(specifier, context, nextResolve) {
    const match = /^(?:@seshat\/(?<folder>[\w-]+)|seshat)(?<door>\/.+)?$/.exec(specifier);
    if (match === null) return nextResolve(specifier, context);
    // The program has a name of its own. What needs it is not begun where there is none.
    const { folder = "server", door = "" } = match.groups ?? {};
    const home = join(checkout, "packages", folder);
    if (!existsSync(home)) {
      if (specifier === "seshat") return nextResolve(specifier, context);
      throw new Error(`there is no ${home}`);
    }
    const { exports = {} } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as Manifest;
    const target = exports[`.${door}`]?.default;
    if (target === undefined) throw new Error(`${home} does not export .${door}`);
    return { url: pathToFileURL(join(home, target)).href, shortCircuit: true };
  },
});

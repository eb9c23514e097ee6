import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";

/*
 * Loaded before anything else in the process of a mutant: runs the packages from their sources, with the mutation that `KILL_LIST_EDITS` says
 * (JSON of `Edit[]`) planted in them as they are loaded. Nothing on disk is changed.
 */

/** One place where a mutant differs. */
interface Edit {
  readonly file: string;
  readonly replace: string;
  readonly by: string;
}

const packagesUrl = new URL("../../../", import.meta.url);
const edits = JSON.parse(process.env["KILL_LIST_EDITS"] ?? "[]") as readonly Edit[];

registerHooks({
  resolve(specifier, context, nextResolve) {
    const inside = /^@seshat\/([a-z-]+)(?:\/([a-z-]+))?$/.exec(specifier);
    if (inside !== null) {
      const [, name, door = "index"] = inside;
      return {
        url: new URL(`${name}/src/${door}.ts`, packagesUrl).href,
        format: "module",
        shortCircuit: true,
      };
    }
    const isOurs = context.parentURL?.startsWith(packagesUrl.href) === true;
    if (isOurs && specifier.startsWith(".") && specifier.endsWith(".js")) {
      const url = new URL(specifier.replace(/\.js$/, ".ts"), context.parentURL);
      return { url: url.href, format: "module", shortCircuit: true };
    }
    return nextResolve(specifier, context);
  },
  load(url, context, nextLoad) {
    if (!url.startsWith(packagesUrl.href) || !url.endsWith(".ts")) return nextLoad(url, context);
    let source = readFileSync(fileURLToPath(url), "utf8");
    for (const { file, replace, by } of edits) {
      if (url === new URL(file, packagesUrl).href) source = source.replace(replace, () => by);
    }
    return { format: "module", source: stripTypeScriptTypes(source), shortCircuit: true };
  },
});

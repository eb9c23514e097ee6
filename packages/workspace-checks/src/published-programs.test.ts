import { execFile } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const PACKAGES = fileURLToPath(new URL("../../", import.meta.url));

interface Manifest {
  readonly private?: boolean;
  readonly bin?: Readonly<Record<string, string>>;
}

/** Name and file of every program that is published. The files are what was built. */
const PROGRAMS = readdirSync(PACKAGES).flatMap((folder): [string, string][] => {
  const manifest = JSON.parse(readFileSync(`${PACKAGES}${folder}/package.json`, "utf8")) as Manifest;
  if (manifest.private === true) return [];
  return Object.entries(manifest.bin ?? {}).map(([name, file]) => [name, `${PACKAGES}${folder}/${file}`]);
});

/** Makes this Node out to be another one, before the program begins. */
function pretend(version: string): string {
  const code = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

test("there are programs that are published", () => {
  expect(PROGRAMS.map(([name]) => name).sort()).toEqual(["seshat", "seshat-sim", "seshat-single"]);
});

test.each(PROGRAMS)(
  "%s says in one line which Node it needs, and ends with a code of its own",
  async (name, file) => {
    const ended = await new Promise((resolve) => {
      const args = ["--import", pretend("20.20.2"), file, "--help"];
      execFile(process.execPath, args, (error, stdout, stderr) =>
        resolve({ code: error?.code, stdout, stderr }),
      );
    });
    expect(ended).toEqual({
      code: 69,
      stdout: "",
      stderr: `error: ${name} needs Node 22.18 or later, and this is Node 20.20.2\n`,
    });
  },
);

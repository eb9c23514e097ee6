/** What a line of the prompt is split into, as redis-cli does: by blanks, with double quotes (`\n`, `\x00`, `\"`) and single ones. */
export function splitLine(line: string): Uint8Array[] | null {
  const args: Uint8Array[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && /\s/.test(line[at] ?? "")) at += 1;
    if (at >= line.length) return args;
    const quote = line[at] === '"' || line[at] === "'" ? line[at] : null;
    let text = "";
    if (quote === null) {
      while (at < line.length && !/\s/.test(line[at] ?? "")) text += line[at++];
      args.push(Buffer.from(text, "utf8"));
      continue;
    }
    const parts: Buffer[] = [];
    at += 1;
    for (;;) {
      const character = line[at];
      if (character === undefined) return null;
      at += 1;
      if (character === quote) break;
      if (character !== "\\" || (quote === "'" && line[at] !== "'")) {
        parts.push(Buffer.from(character, "utf8"));
        continue;
      }
      const hex = quote === '"' ? /^x([0-9a-f]{2})/i.exec(line.slice(at, at + 3))?.[1] : undefined;
      if (hex === undefined) {
        parts.push(Buffer.from(ESCAPES[line[at] ?? ""] ?? line[at] ?? "", "utf8"));
        at += 1;
      } else {
        parts.push(Buffer.from([Number.parseInt(hex, 16)]));
        at += 3;
      }
    }
    // A closing quote ends the argument.
    if (at < line.length && !/\s/.test(line[at] ?? "")) return null;
    args.push(Buffer.concat(parts));
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\u0007" };

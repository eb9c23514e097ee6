import type { KeyValueClusterStatus } from "../cluster/key-value-cluster-status.js";
import { quote } from "./quote.js";
import { statusTable } from "./status-table.js";

/** What a command answered. */
export type CommandResult =
  | { readonly type: "ok" }
  | { readonly type: "integer"; readonly value: number }
  | { readonly type: "bytes"; readonly value: Uint8Array }
  | { readonly type: "nil" }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "status"; readonly status: KeyValueClusterStatus };

/**
 * How results are written.
 *
 * - `quoted`: as redis-cli shows them on a terminal, `"value"`, `(integer) 1`, `(nil)`; one line each, and any
 *   bytes can be told apart. STATUS is one line of JSON.
 * - `raw`: as redis-cli writes them to a pipe: the bytes of the value and a newline, the bare number, an
 *   empty line for a missing value.
 * - `terminal`: `quoted`, with STATUS as a table for people.
 */
export type ResultStyle = "quoted" | "raw" | "terminal";

/** Writes a result, its newline included, either as text or, for a raw value, as its bytes. */
export function formatResult(result: CommandResult, style: ResultStyle): string | Uint8Array {
  switch (result.type) {
    case "ok":
      return "OK\n";
    case "integer":
      return style === "raw" ? `${result.value}\n` : `(integer) ${result.value}\n`;
    case "nil":
      return style === "raw" ? "\n" : "(nil)\n";
    case "bytes":
      return style === "raw" ? withNewline(result.value) : `${quote(result.value)}\n`;
    case "text":
      return `${result.text}\n`;
    case "status":
      return style === "terminal" ? statusTable(result.status) : `${JSON.stringify(result.status)}\n`;
    default:
      return result satisfies never;
  }
}

function withNewline(value: Uint8Array): Uint8Array {
  const line = new Uint8Array(value.length + 1);
  line.set(value);
  line[value.length] = 0x0a;
  return line;
}

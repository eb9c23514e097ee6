import { RemoteError } from "./network.js";
import { SeshatError } from "./seshat-error.js";
import { show } from "./show.js";
import type { FieldCodec, WireValue } from "./wire-fields.js";
import { asString, ownValue } from "./wire-fields.js";
import type { Said } from "./wire-table.js";
import { WIRE_TABLE } from "./wire-table.js";
import { cut } from "./wire-text.js";

/**
 * An error as it travels: plain data that goes through JSON unchanged. Texts are at most 4096 UTF-16 units long; there is never
 * a stack.
 */
export interface WireError {
  /** `SeshatError.code`; `"unexpected"` for what was no `SeshatError`. */
  readonly code: string;
  readonly message: string;
  /** The fields of the error's class, by name; none when the class is not one of this package. */
  readonly fields: { readonly [name: string]: WireValue };
  /** What the cause says, or null. */
  readonly cause: string | null;
}

/** A row of the table whose class is not known where it is used. */
interface AnyRow {
  readonly type: abstract new (...args: never) => SeshatError;
  readonly fields: Readonly<Record<string, FieldCodec<unknown>>>;
  revive(fields: Readonly<Record<string, unknown>>, said: Said): SeshatError;
}

/** A map, so that no code finds anything that the table does not have. */
const ROWS: ReadonlyMap<string, AnyRow> = new Map(
  Object.entries(WIRE_TABLE as unknown as Readonly<Record<string, AnyRow>>),
);

/** Said for whoever gave no text. */
const NO_MESSAGE = "the other side failed, and what it said about it cannot be read";

/** Turns an error, or whatever was thrown, into what can be sent to another process. */
export function encodeError(error: unknown): WireError {
  if (!(error instanceof SeshatError)) {
    return { code: "unexpected", message: textOf(error), fields: {}, cause: causeOf(error) };
  }
  const row = ROWS.get(error.code);
  const fields: Record<string, WireValue> = {};
  // Of a stranger with one of these codes the fields are not known.
  if (row !== undefined && error instanceof row.type) {
    for (const [name, codec] of Object.entries(row.fields)) {
      fields[name] = codec.encode((error as unknown as Readonly<Record<string, unknown>>)[name]);
    }
  }
  return { code: error.code, message: textOf(error), fields, cause: causeOf(error) };
}

/**
 * Turns what {@link encodeError} made on the other side into an error of the same class, with the same fields and message; the cause
 * is text. What it does not know, or what is not as it should be, becomes a {@link RemoteError}. Never throws, whatever it is given;
 * nothing is taken over but the fields that the class has.
 */
export function decodeError(wire: unknown): SeshatError {
  const code = textAt(wire, "code");
  const message = textAt(wire, "message");
  const cause = textAt(wire, "cause");
  const said: Said = {
    message: cut(message ?? NO_MESSAGE),
    options: cause === null ? undefined : { cause: cut(cause) },
  };
  const row = ROWS.get(code ?? "");
  if (row !== undefined && message !== null) {
    try {
      return revive(row, wire, said);
    } catch {
      // It says that it is one of ours, and is not.
    }
  }
  return new RemoteError(code ?? "malformed", said.message, said.options);
}

function revive(row: AnyRow, wire: unknown, said: Said): SeshatError {
  const sent = ownValue(wire, "fields");
  const fields = Object.fromEntries(
    Object.entries(row.fields).map(([name, codec]) => [name, codec.decode(ownValue(sent, name))]),
  );
  const error = row.revive(fields, said);
  // Another version may have said it in other words.
  error.message = said.message;
  return error;
}

/** The text that stands at `key`, or null. */
function textAt(wire: unknown, key: string): string | null {
  try {
    return asString(ownValue(wire, key));
  } catch {
    return null;
  }
}

function causeOf(error: unknown): string | null {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? null : textOf(cause);
}

/** What it says to people. */
function textOf(thrown: unknown): string {
  const said: unknown = thrown instanceof Error ? thrown.message : thrown;
  return cut(typeof said === "string" ? said : show(said));
}

import { UNKNOWN_OUTPUT } from "./model.js";
import type { Model } from "./model.js";
import type { Operation } from "./operation.js";
import { shorten, visible } from "./safe-text.js";

/** One operation in a few words that are safe to show, in the words of the model if it has any. */
export function describeOperation<S, I, O>(
  model: Model<S, I, O>,
  operation: Operation<I, O>,
  max: number = 120,
): string {
  const output = operation.status === "ok" ? operation.output : UNKNOWN_OUTPUT;
  const text = model.describe?.(operation.input, output) ?? plainly(operation.input, output);
  return shorten(visible(shorten(text, max)), max);
}

export function describeClient(client: string | number): string {
  return shorten(visible(shorten(String(client), 20)), 20);
}

function plainly(input: unknown, output: unknown): string {
  return output === UNKNOWN_OUTPUT ? json(input) : `${json(input)} -> ${json(output)}`;
}

function json(value: unknown): string {
  try {
    return (
      JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? `${inner}n` : inner)) ?? "-"
    );
  } catch {
    return "(cannot be shown)";
  }
}

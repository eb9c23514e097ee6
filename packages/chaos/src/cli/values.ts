/** An option that has to be one of several words. */
export function oneOf(option: string, value: string, values: readonly string[]): Error {
  return new Error(`${option} is ${JSON.stringify(value)}, but it must be one of ${values.join(", ")}`);
}

/** @throws {Error} that names the option. */
export function whole(option: string, text: string, min: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < min) {
    throw new Error(`${option} is ${JSON.stringify(text)}, but it must be a whole number from ${min} on`);
  }
  return value;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Tries until it is done. @throws {Error} of `late` after `timeoutMs`. */
export async function retry<T>(
  act: () => Promise<T | null>,
  timeoutMs: number,
  late: () => Error,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const result = await act();
    if (result !== null) return result;
    if (performance.now() > end) throw late();
    await sleep(20);
  }
}

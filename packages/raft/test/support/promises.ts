/** A promise with its handles outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

export function deferred<T = void>(): Deferred<T> {
  return Promise.withResolvers<T>();
}

/** Lets everything that can go on do so: microtasks end before the next macrotask begins. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** What became of a promise, and how often: an outcome that comes twice shows. */
export interface Outcome<T> {
  readonly values: T[];
  readonly errors: Error[];
}

export function outcomeOf<T>(promise: Promise<T>): Outcome<T> {
  const outcome: Outcome<T> = { values: [], errors: [] };
  promise.then(
    (value) => outcome.values.push(value),
    (error: unknown) => outcome.errors.push(error as Error),
  );
  return outcome;
}

/** The error that `promise` rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => {
      throw new Error("it resolved");
    },
    (error: unknown) => error as Error,
  );
}

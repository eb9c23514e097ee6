/**
 * A result now or later. Storage methods may answer synchronously: an in-memory store then costs no
 * turn of the event loop.
 */
export type MaybePromise<T> = T | Promise<T>;

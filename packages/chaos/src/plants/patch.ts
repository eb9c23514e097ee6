type Method = (this: object, ...args: never[]) => unknown;

/** Puts another method in the place of one of a class, for all its objects. */
export function patch<M extends Method>(prototype: object, name: string, make: (original: M) => M): void {
  const original: unknown = Reflect.get(prototype, name);
  if (typeof original !== "function") throw new Error(`there is no method ${name} to put a fault into`);
  Reflect.set(prototype, name, make(original as M));
}

/** Loads a module of the server that it does not export. */
export async function serverModule(path: string): Promise<Record<string, { readonly prototype: object }>> {
  return (await import(new URL(path, import.meta.resolve("seshat")).href)) as Record<
    string,
    { readonly prototype: object }
  >;
}

/** A class of such a module. */
export async function serverClass(path: string, name: string): Promise<object> {
  const found = (await serverModule(path))[name];
  if (found === undefined) throw new Error(`${path} has no ${name}`);
  return found.prototype;
}

/** A command that is answered by an error. `message` is the whole of it, its code first. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

export function wrongArity(name: string): CommandError {
  return new CommandError(`ERR wrong number of arguments for '${name}' command`);
}

export const NOT_AN_INTEGER = "ERR value is not an integer or out of range";
export const SYNTAX_ERROR = "ERR syntax error";

/** What the server has counted since it started, or since CONFIG RESETSTAT. */
export class Stats {
  commands = 0;
  connections = 0;
  rejectedConnections = 0;
  inputBytes = 0;
  outputBytes = 0;
  /** Error replies by their first word, at most so many different ones. */
  readonly errors: Map<string, number> = new Map();

  /** An error was answered. */
  failed(message: string): void {
    const [code = "ERR"] = message.split(" ", 1);
    if (!this.errors.has(code) && this.errors.size >= MAX_CODES) return;
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }

  reset(): void {
    this.commands = 0;
    this.connections = 0;
    this.rejectedConnections = 0;
    this.inputBytes = 0;
    this.outputBytes = 0;
    this.errors.clear();
  }
}

const MAX_CODES = 128;

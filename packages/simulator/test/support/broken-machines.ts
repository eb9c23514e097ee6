import type { StateCapture } from "@seshat/storage";
import type { LockCommand, LockOutput } from "./lock-system.js";
import { LockMachine } from "./lock-system.js";

/** Goes by the clock of the machine that it happens to run on. */
export class ReadsTheClock extends LockMachine {
  protected override timeOf(): number {
    return Date.now();
  }
}

/** The same, by another name. */
export class MakesDates extends LockMachine {
  protected override timeOf(): number {
    return new Date().getTime();
  }
}

export class ReadsUptime extends LockMachine {
  protected override timeOf(): number {
    return performance.now();
  }
}

/** Gives out tokens that cannot be guessed, and so cannot be given out twice alike. */
export class DrawsTokens extends LockMachine {
  override apply(index: number, command: LockCommand): LockOutput {
    const { owner } = super.apply(index, command);
    return { owner, token: Math.floor(Math.random() * 1e9) };
  }
}

export class DrawsUuids extends LockMachine {
  override apply(index: number, command: LockCommand): LockOutput {
    const { token } = super.apply(index, command);
    return { owner: crypto.randomUUID(), token };
  }
}

/** Counts what goes on in a variable that all instances share. */
export function sharesACounter(): new () => LockMachine {
  let shared = 0;
  return class SharesACounter extends LockMachine {
    override apply(index: number, command: LockCommand): LockOutput {
      shared += 1;
      const { owner } = super.apply(index, command);
      return { owner, token: shared };
    }
  };
}

/** Answers with the owner of the lock that was made first, and forgets which that was: a snapshot is in the order of names. */
export class LosesTheOrder extends LockMachine {
  override apply(index: number, command: LockCommand): LockOutput {
    const { token } = super.apply(index, command);
    const [first] = this.locks.keys();
    return { owner: first ?? null, token };
  }
}

/** Counts its commands, and leaves the count out of its snapshots. */
export class ForgetsAField extends LockMachine {
  #commands = 0;

  override apply(index: number, command: LockCommand): LockOutput {
    this.#commands += 1;
    const { owner } = super.apply(index, command);
    return { owner, token: this.#commands };
  }
}

/** Writes out what the locks are then, and not what they were. */
export class CapturesLate extends LockMachine {
  override capture(): StateCapture {
    return { chunks: () => super.capture().chunks() };
  }
}

/** Cannot do without an owner. */
export class Throws extends LockMachine {
  override apply(index: number, command: LockCommand): LockOutput {
    if (index > 20) throw new TypeError("owner is undefined");
    return super.apply(index, command);
  }
}

/** Makes itself comfortable in what belongs to the log. */
export class ChangesCommands extends LockMachine {
  override apply(index: number, command: LockCommand): LockOutput {
    (command as { forMs: number }).forMs += 1;
    return super.apply(index, command);
  }
}

/** Tidies up while it is read. */
export class ChangesOnRead extends LockMachine {
  override owner(name: string): LockOutput {
    const owner = super.owner(name);
    if (owner.token % 3 === 0) this.locks.delete(name);
    return owner;
  }
}

/** Prolongs locks after a restart, so that nobody loses one by it. */
export class RestoresOtherwise extends LockMachine {
  override async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    await super.restore(chunks);
    for (const lock of this.locks.values()) lock.until += 100;
  }
}

/** Takes chunks for whole snapshots. */
export class CannotRestore extends LockMachine {
  override async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) JSON.parse(new TextDecoder().decode(chunk));
  }
}

/** Does later what must be done now. */
export class Promises extends LockMachine {
  override apply(index: number, command: LockCommand): LockOutput {
    return Promise.resolve(super.apply(index, command)) as unknown as LockOutput;
  }
}

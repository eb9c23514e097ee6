/** Pairs in one block. */
const BLOCK_PAIRS = 512;

class Block {
  readonly deadlines: Float64Array = new Float64Array(BLOCK_PAIRS);
  readonly hashes: Uint32Array = new Uint32Array(BLOCK_PAIRS);
  count = 0;

  /** How many pairs here come before (deadline, hash). */
  rank(deadline: number, hash: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = this.deadlines[middle] as number;
      if (at < deadline || (at === deadline && (this.hashes[middle] as number) < hash)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  insert(at: number, deadline: number, hash: number): void {
    this.deadlines.copyWithin(at + 1, at, this.count);
    this.hashes.copyWithin(at + 1, at, this.count);
    this.deadlines[at] = deadline;
    this.hashes[at] = hash;
    this.count += 1;
  }

  remove(at: number): void {
    this.deadlines.copyWithin(at, at + 1, this.count);
    this.hashes.copyWithin(at, at + 1, this.count);
    this.count -= 1;
  }

  /** Moves what stands at `from` and behind it to the end of `other`. */
  moveTo(other: Block, from: number): void {
    other.deadlines.set(this.deadlines.subarray(from, this.count), other.count);
    other.hashes.set(this.hashes.subarray(from, this.count), other.count);
    other.count += this.count - from;
    this.count = from;
  }
}

/**
 * Which keys end when: pairs (deadline, hash of the key) in that order, whatever order they came in. Keys of one hash and one deadline
 * are as many equal pairs; which of them is meant is for the caller to say.
 *
 * Sorted blocks behind one another: 12 bytes a pair in blocks that are two thirds full, and nothing for the garbage collector to walk.
 */
export class Deadlines {
  readonly #blocks: Block[] = [new Block()];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The first deadline, or Infinity. */
  get first(): number {
    return this.#size === 0 ? Infinity : ((this.#blocks[0] as Block).deadlines[0] as number);
  }

  /** The hash of the first pair, of which there must be one. */
  get firstHash(): number {
    return (this.#blocks[0] as Block).hashes[0] as number;
  }

  add(deadline: number, hash: number): void {
    let index = this.#blockFor(deadline, hash);
    let block = this.#blocks[index] as Block;
    if (block.count === BLOCK_PAIRS) {
      const upper = new Block();
      // Deadlines mostly come in rising order: the last block is left nearly full, others are halved.
      block.moveTo(upper, index === this.#blocks.length - 1 ? (BLOCK_PAIRS * 7) / 8 : BLOCK_PAIRS / 2);
      this.#blocks.splice(index + 1, 0, upper);
      index = this.#blockFor(deadline, hash);
      block = this.#blocks[index] as Block;
    }
    block.insert(block.rank(deadline, hash), deadline, hash);
    this.#size += 1;
  }

  /** Removes one pair, which must be there. */
  remove(deadline: number, hash: number): void {
    const index = this.#blockFor(deadline, hash);
    const block = this.#blocks[index] as Block;
    block.remove(block.rank(deadline, hash));
    this.#size -= 1;
    const following = this.#blocks[index + 1];
    if (following !== undefined && block.count + following.count <= BLOCK_PAIRS / 2) {
      following.moveTo(block, 0);
      this.#blocks.splice(index + 1, 1);
    } else if (block.count === 0 && this.#blocks.length > 1) {
      this.#blocks.splice(index, 1);
    }
  }

  /** How many deadlines are `clock` or earlier. */
  countUpto(clock: number): number {
    if (this.first > clock) return 0;
    const index = this.#blockFor(clock + 1, 0);
    let count = (this.#blocks[index] as Block).rank(clock + 1, 0);
    for (let at = 0; at < index; at++) count += (this.#blocks[at] as Block).count;
    return count;
  }

  clear(): void {
    this.#blocks.splice(0, this.#blocks.length, new Block());
    this.#size = 0;
  }

  /** The last block that begins with this pair or an earlier one: it has the pair, if there is one, and is where one goes. */
  #blockFor(deadline: number, hash: number): number {
    const blocks = this.#blocks;
    let low = 0;
    let high = blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const block = blocks[middle] as Block;
      const first = block.deadlines[0] as number;
      if (first < deadline || (first === deadline && (block.hashes[0] as number) <= hash)) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

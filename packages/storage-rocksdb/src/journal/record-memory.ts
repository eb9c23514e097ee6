/** Records stand in pieces of this size. One that needs more gets a piece of its own. */
const PIECE_BYTES = 1_048_576;
/** Pieces that are kept for what comes. */
const KEPT_PIECES = 4;

/** Memory in which records stand one behind the other. */
export interface Piece {
  readonly bytes: Buffer<ArrayBuffer>;
  /** How many records stand in it that are still needed. */
  records: number;
}

/**
 * The memory of records. How long each is needed is known to the moment, so what one has left the next takes. Left to the collector, what a follower on
 * its way back wrote in a second stood in memory as a hundred MiB.
 */
export class RecordMemory {
  #current: Piece = newPiece(0);
  /** Where the record begins that is being written. */
  #start = 0;
  readonly #kept: Piece[] = [];

  /** Where the record that is being written stands: from {@link start} on. */
  get bytes(): Buffer<ArrayBuffer> {
    return this.#current.bytes;
  }

  get start(): number {
    return this.#start;
  }

  /**
   * Makes room for `length` bytes of the record that is being written, which may move.
   *
   * @param written how many bytes of it are to stay as they are.
   */
  reserve(length: number, written: number): void {
    const before = this.#current;
    if (this.#start + length <= before.bytes.length) return;
    const start = this.#start;
    const isLarge = length > PIECE_BYTES;
    this.#current = isLarge ? newPiece(2 * length) : (this.#kept.pop() ?? newPiece(PIECE_BYTES));
    this.#start = 0;
    before.bytes.copy(this.#current.bytes, 0, start, start + written);
    if (before.records === 0) this.#putAway(before);
  }

  /** The record that is being written has `length` bytes. They are its own until {@link release}. */
  take(length: number): Piece {
    const piece = this.#current;
    piece.records += 1;
    this.#start += length;
    return piece;
  }

  /** Nobody reads a record of this piece any more, nor writes it. */
  release(piece: Piece): void {
    piece.records -= 1;
    if (piece.records > 0) return;
    if (piece !== this.#current) return this.#putAway(piece);
    this.#start = 0;
    // A large one is not kept.
    if (piece.bytes.length <= PIECE_BYTES) return;
    this.#current = newPiece(0);
    this.#putAway(piece);
  }

  #putAway(piece: Piece): void {
    if (piece.bytes.length === PIECE_BYTES && this.#kept.length < KEPT_PIECES) this.#kept.push(piece);
    // Freed at once, not when the collector comes.
    else piece.bytes.buffer.transfer(0);
  }
}

function newPiece(size: number): Piece {
  return { bytes: Buffer.from(new ArrayBuffer(size)), records: 0 };
}

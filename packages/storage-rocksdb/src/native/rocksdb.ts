/** What this package uses of `rocksdb-native`, which brings no types. */
export interface RocksOptions {
  readonly createIfMissing?: boolean;
  /** Bytes of a memtable. */
  readonly writeBufferSize?: number;
  readonly maxBackgroundJobs?: number;
}

export interface RocksWriteBatch {
  tryPut(key: Uint8Array, value: Uint8Array): void;
  tryDelete(key: Uint8Array): void;
  /** From `start` on, up to `end` and without it. */
  tryDeleteRange(start: Uint8Array, end: Uint8Array): void;
  /** Writes all of it or nothing, and makes nothing durable. */
  flush(): Promise<void>;
  destroy(): void;
}

export interface RocksReadBatch {
  get(key: Uint8Array): Promise<Uint8Array | null>;
  flush(): Promise<void>;
  tryFlush(): void;
  destroy(): void;
}

export interface RocksRange {
  readonly gte: Uint8Array;
  readonly lt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
  /** False: keys alone. */
  readonly values?: boolean;
  /** Records fetched at a time. */
  readonly capacity?: number;
}

export interface RocksRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A database, or the state of one at some moment. */
export interface RocksView {
  get(key: Uint8Array): Promise<Uint8Array | null>;
  read(): RocksReadBatch;
  iterator(range: RocksRange): AsyncIterable<RocksRecord>;
  close(): Promise<void>;
}

export interface RocksDatabase extends RocksView {
  ready(): Promise<void>;
  write(): RocksWriteBatch;
  /** The state of this moment. To be closed. */
  snapshot(): RocksView;
  /** Ends when everything that was written before stands in tables, which are durable. */
  flush(): Promise<void>;
  getProperty(name: string): Promise<string | undefined>;
  close(options?: { readonly force?: boolean }): Promise<void>;
}

export type RocksConstructor = new (path: string, options: RocksOptions) => RocksDatabase;

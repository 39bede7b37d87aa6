// What the Firestore store needs of a document database: reads, queries, and commits that happen as a whole or not at all.
// Implemented over Google's library (firestore-documents.ts), and in memory by tests.

/** A map's worth of scalars: what is looked for is a field, what is not is packed into bytes or JSON. */
export type Fields = Readonly<Record<string, FieldValue>>;
type FieldValue = string | number | boolean | null | Uint8Array | Date | readonly string[];

export interface Document {
  /** `COLLECTION/ID`. */
  readonly path: string;
  readonly fields: Fields;
  /** Changes with every write that changes something. */
  readonly version: string;
}

export type Write =
  /** Refused where there is one already. */
  | { readonly kind: 'create'; readonly path: string; readonly fields: Fields }
  /** Refused unless it is still the one that was read; fields that are not named stay. */
  | { readonly kind: 'change'; readonly path: string; readonly fields: Fields; readonly version: string }
  /** Whatever was there. */
  | { readonly kind: 'put'; readonly path: string; readonly fields: Fields }
  | { readonly kind: 'delete'; readonly path: string };

export interface Query {
  readonly collection: string;
  readonly where: readonly {
    readonly field: string;
    readonly is: '==' | '>' | '>=' | '<' | 'array-contains';
    readonly value: string | number | Date;
  }[];
  readonly orderBy?: { readonly field: string; readonly descending?: boolean };
  readonly limit: number;
  /** Only these fields; default all. */
  readonly fields?: readonly string[];
}

/**
 * Every method throws Mk8sError `storage` (retryable where the service is away), `full` (quota, retryable) or `credentials`.
 * Nothing is retried here but what Google's library retries by itself, for up to a minute.
 */
export interface Documents {
  /** In the order of the paths; undefined where there is none. */
  get(paths: readonly string[]): Promise<readonly (Document | undefined)[]>;
  query(query: Query): Promise<readonly Document[]>;
  /**
   * All writes, or none. Resolves with the version of each document, durable. At most 500 writes (Firestore's own limit is
   * gone, but its emulator's is not) and 10 MiB. Throws `Refused` where a condition did not hold; after any other error it is
   * unknown whether it happened.
   */
  commit(writes: readonly Write[]): Promise<readonly string[]>;
  count(collection: string): Promise<number>;
  close(): Promise<void>;
}

/** A commit was refused: a document to create exists, or one to change was changed or is gone. Nothing was written. */
export class Refused extends Error {
  constructor(cause: unknown) {
    super('a document is not what it was', { cause });
    this.name = 'Refused';
  }
}

// How stages tell an operator what happened. The command line turns it into log lines or shows it.

export interface ReportEntry {
  readonly severity: 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';
  /** A whole sentence: what, on what, why, what now. Contains no token and no object content. */
  readonly message: string;
  /** Cluster name, where the entry is about one. */
  readonly cluster?: string;
  /** `PLURAL.GROUP`, where the entry is about a stream. */
  readonly resource?: string;
  /** Further numbers and words, e.g. `{ status: 410 }`. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

export type Report = (entry: ReportEntry) => void;

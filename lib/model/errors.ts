// One error class for what comes from outside. Adapters classify (`code`, `retryable`); one place retries (bridge).

/** What went wrong, in a word that code can switch on. */
export type ErrorCode =
  /** The peer refused, reset or never answered, or its name does not resolve. Retryable. */
  | 'unreachable'
  /** The peer answered, then the connection ended in the middle of the body. Retryable. */
  | 'interrupted'
  /** TLS: the certificate is not trusted or is for another name. Not retryable without a change. */
  | 'tls'
  /** A credential could not be obtained (exec plugin, token file) or was refused (401). */
  | 'credentials'
  /** An HTTP status of an API server; `status` holds it. */
  | 'http'
  /** What was received is not what the protocol allows. */
  | 'protocol'
  /** The user's configuration, kubeconfig or flag is wrong. */
  | 'config'
  /** Another owner holds the lease, or took it over. */
  | 'fenced'
  /** The data folder or store: version, corruption, permissions. Not retryable. */
  | 'storage'
  /** The disk or quota is full. Retryable: room may be made. */
  | 'full'
  /** A sink refused one change for good (webhook 4xx). */
  | 'rejected';

export interface ErrorDetails {
  readonly code: ErrorCode;
  /** True where the same attempt may succeed later without anyone changing anything. */
  readonly retryable?: boolean;
  /** HTTP status, for code `http` and `rejected`. */
  readonly status?: number;
  /** Kubernetes Status.reason, e.g. `Expired`, `Forbidden`. */
  readonly reason?: string;
  /** How long the peer asked to wait, in milliseconds (Retry-After). */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * An error of this project. The message says what was attempted, on what, why it failed and what to do;
 * it never contains a token.
 */
export class Mk8sError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'Mk8sError';
    this.code = details.code;
    this.retryable = details.retryable ?? false;
    this.status = details.status;
    this.reason = details.reason;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** The message of anything thrown, for a sentence that goes on. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

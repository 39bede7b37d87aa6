// How stages talk to one cluster's API server: bytes in, bytes out. Implemented over HTTPS (adapters/kubernetes),
// and by simulations.
import type { Quota } from './quota.ts';

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';
  /** Absolute path with encoded segments, e.g. `/apis/example.com/v1/widgets`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Aborting ends the request and its body at once. */
  readonly signal?: AbortSignal;
  /** How much of the body may be read ahead while nobody asks, in bytes; default 1 MiB. */
  readonly readAheadBytes?: number;
  /** Ask the credential source for a new credential first: after a 401. */
  readonly freshCredentials?: boolean;
}

export interface ApiResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The decoded body (gunzipped). Each item is all that has arrived since the last one was taken, as chunks in order.
   * Pulled: while nobody asks, at most `readAheadBytes` are read ahead, then the socket is slowed.
   * Ends normally only where the peer ended the body as HTTP says it must (0-chunk, Content-Length, END_STREAM);
   * otherwise it throws Mk8sError `interrupted`. Leaving the loop early destroys the stream.
   */
  readonly body: AsyncIterable<readonly Uint8Array[]>;
  /** True where nobody reads a chunk again once it was taken: its consumer may overwrite it instead of copying. */
  readonly ownsChunks?: boolean;
}

/**
 * One cluster's API server: one shared connection pool, credentials applied. It classifies errors and never retries:
 * throws Mk8sError `unreachable`, `tls`, `credentials` or `interrupted`; every HTTP status, also 401 and 500, is a response.
 */
export interface ApiServer {
  /** URL, for people. */
  readonly server: string;
  request(request: ApiRequest): Promise<ApiResponse>;
  /** What its requests have to keep, where it is behind a gateway that limits them: to be asked before something begins. */
  readonly quota?: Quota;
  /** Closes pooled connections. */
  close(): Promise<void>;
}

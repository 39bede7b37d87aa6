// A request and its answer as values, whoever serves them: node:http, or the functions framework.

export interface HttpRequest {
  /** Upper case. */
  readonly method: string;
  /** As it came, still encoded, without the query. */
  readonly path: string;
  /** As it came, without the question mark. */
  readonly query: string;
  /** Lower-case names; every line of a name that came more than once. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Address that it came from, as far as we are told to trust what says so; '' where the connection is gone already. */
  readonly peer: string;
  /** Read to its end, within the server's limit. */
  readonly body: Uint8Array;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpHandler {
  handle(request: HttpRequest): Promise<HttpResponse>;
  /** The answer where a request did not become one: too large, cut off, not HTTP. */
  refuse(status: 400 | 408 | 413 | 414 | 431 | 503): HttpResponse;
}

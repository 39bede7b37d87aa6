// What an API server answers, before a network carries it. Texts are those of the recordings.

/** Where the body of a watch goes. */
export interface Sink {
  readonly closed: boolean;
  /** False while the reader is so far behind that the socket is full. */
  readonly writable: boolean;
  /** `tells`: what the reader knows once it has all of the text (see SimCluster.served). */
  send(text: string, tells?: Tells): void;
  /** Ends the body as HTTP says it must. */
  end(): void;
  /** The connection breaks. */
  break(): void;
  /** Called when there is room again, and when the connection is over. */
  attach(source: { drained(): void; closed(): void }): void;
}

/** One state of one object that a reader was told. */
export interface Tells {
  readonly how: 'event' | 'listed';
  /** `widgets.example.com UID RV`, and for an event ` ADDED`, ` MODIFIED` or ` DELETED`. */
  readonly what: string;
}

export interface Piece {
  readonly text: string;
  readonly tells?: Tells;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: readonly Piece[] | ((sink: Sink) => void);
}

export function json(
  body: string | readonly Piece[],
  headers: Readonly<Record<string, string>> = {},
  status = 200,
): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? [{ text: body }] : body,
  };
}

export interface StatusParts {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  /** JSON of `details`. */
  readonly details?: string;
  /** Of a 410: how a list may go on. */
  readonly continueToken?: string;
}

/** The JSON of a Status. */
function statusText({ code, reason, message, details, continueToken }: StatusParts): string {
  const metadata = continueToken === undefined ? '{}' : `{"continue":"${continueToken}"}`;
  const why = reason === '' ? '' : `,"reason":"${reason}"`;
  const more = details === undefined ? '' : `,"details":${details}`;
  return `{"kind":"Status","apiVersion":"v1","metadata":${metadata},"status":"Failure","message":${JSON.stringify(message)}${why}${more},"code":${code}}\n`;
}

export function statusAnswer(parts: StatusParts, headers: Readonly<Record<string, string>> = {}): Answer {
  return json(statusText(parts), headers, parts.code);
}

export function plain(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body: [{ text }] };
}

/** Of a path, group, version or resource that is not served (recording 30-error/404-resource). */
export function pageNotFound(): Answer {
  return plain(404, '404 page not found\n');
}

/** An ERROR event of a watch. */
export function errorLine(parts: StatusParts): string {
  return `{"type":"ERROR","object":${statusText(parts).trimEnd()}}\n`;
}

/** Recording 30-error/504-list-future-rv and 50-watch/watchlist-future-rv. */
export function tooLarge(asked: number, current: number): StatusParts {
  return {
    code: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${asked}, current: ${current}`,
    details:
      '{"causes":[{"reason":"ResourceVersionTooLarge","message":"Too large resource version"}],"retryAfterSeconds":1}',
  };
}

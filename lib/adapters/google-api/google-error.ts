// Errors of Google's libraries and APIs as errors of ours: classified, and without anything that looks like a token.
import { Mk8sError } from '../../model/errors.ts';
import { grpcFailure } from './grpc-failure.ts';

/** What is known of a failed request, whichever library made it. */
interface Failure {
  readonly status: number | undefined;
  /** Google's canonical code, e.g. `PERMISSION_DENIED`; of token services the OAuth error, e.g. `invalid_grant`. */
  readonly reason: string | undefined;
  readonly message: string;
  /** True where the API is not switched on, and for which project (id or number) where the answer says so. */
  readonly disabled: boolean;
  readonly consumer: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly retryable: boolean;
}

/** Statuses after which asking again may help: https://cloud.google.com/apis/design/errors#error_retries */
const BUSY = new Set([408, 429, 500, 502, 503, 504]);

/**
 * `Cannot ATTEMPTED as IDENTITY: WHY. ADVICE`. `credentials` unless `code` says otherwise; retryable where the service
 * was busy or did not answer.
 */
export function googleError(
  error: unknown,
  { attempted, identity, advice, code = 'credentials' }: GoogleAttempt,
): Mk8sError {
  if (error instanceof Mk8sError) return error;
  const failure = failureOf(error);
  const { status, reason, message, retryAfterMs, retryable } = failure;
  const answered = status !== undefined;
  const why = [answered ? String(status) : '', reason ?? '', withoutTokens(message)]
    .filter((part) => part !== '')
    .join(' ');
  const help = advice?.(failure);
  return new Mk8sError(`Cannot ${attempted} as ${identity}: ${why.replace(/\.$/, '')}${help ? `. ${help}` : ''}`, {
    code: answered ? code : 'unreachable',
    retryable,
    ...(status === undefined ? {} : { status }),
    ...(reason === undefined ? {} : { reason }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** What advice is given by. */
export type Refusal = Omit<Failure, 'retryAfterMs' | 'retryable'>;

export interface GoogleAttempt {
  /** `get an access token from the metadata server`. */
  readonly attempted: string;
  /** Who asked. */
  readonly identity: string;
  /** What to do about it, as a sentence without its full stop. */
  readonly advice?: (failure: Refusal) => string | undefined;
  readonly code?: 'credentials' | 'http';
}

/**
 * JWTs, Google's access tokens (`ya29.`), federated ones (`ya29.d.`, `ya29.c.`) and authorization headers are replaced:
 * error bodies of token services may repeat what they were sent.
 */
function withoutTokens(text: string): string {
  return text
    .replace(/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, '[token]')
    .replace(/\bya29\.[\w.-]+/g, '[token]')
    .replace(/\b(Bearer)\s+\S+/gi, '$1 [token]');
}

function failureOf(error: unknown): Failure {
  const fields = isRecord(error) ? error : {};
  const grpc = grpcFailure(fields);
  if (grpc !== undefined) {
    const { disabled, consumer } = switchedOff(undefined, grpc.message);
    return { ...grpc, disabled: disabled || grpc.reason === 'SERVICE_DISABLED', consumer, retryAfterMs: undefined };
  }
  const response = isRecord(fields['response']) ? fields['response'] : {};
  // Gaxios has `response`; google-gax, where it speaks REST, has `httpStatusCode`.
  const status =
    numberOf(response['status']) ??
    numberOf(fields['httpStatusCode']) ??
    numberOf(fields['status']) ??
    numberOf(fields['code']);
  // google-gax keeps the body of a refusal as the message of the error below its own.
  const below = isRecord(fields['cause']) ? textOf(fields['cause']['message']) : undefined;
  const data = parsed(response['data'] ?? (status === undefined ? undefined : below));
  // Google APIs: {error: {code, message, status}}; OAuth and STS (RFC 6749, 5.2): {error, error_description}.
  const body = isRecord(data) ? data : {};
  const api = isRecord(body['error']) ? body['error'] : {};
  const reason =
    textOf(api['status']) ?? textOf(body['error']) ?? textOf(fields['reason']) ?? canonicalName(fields['code']);
  const said =
    textOf(api['message']) ??
    textOf(body['error_description']) ??
    (typeof data === 'string' && data !== below ? firstLine(data) : '');
  const message = said === '' || said === undefined ? plainMessage(error, status !== undefined) : said;
  const details = Array.isArray(api['details']) ? api['details'] : fields['statusDetails'];
  return {
    status,
    reason,
    message,
    ...switchedOff(details, message),
    retryAfterMs: retryAfter(response['headers']),
    retryable: status === undefined || BUSY.has(status),
  };
}

/** Of gRPC's codes, those that are answers: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const CANONICAL: Readonly<Record<number, string>> = {
  3: 'INVALID_ARGUMENT',
  5: 'NOT_FOUND',
  7: 'PERMISSION_DENIED',
  8: 'RESOURCE_EXHAUSTED',
  9: 'FAILED_PRECONDITION',
  13: 'INTERNAL',
  14: 'UNAVAILABLE',
  16: 'UNAUTHENTICATED',
};

function canonicalName(code: unknown): string | undefined {
  return typeof code === 'number' ? CANONICAL[code] : undefined;
}

/** What an answer of Google's says, undefined where it is not in the form of its APIs: `{error: {code, message, status}}`. */
export function refusalOf(status: number, text: string): Refusal | undefined {
  const body = parsed(text);
  const api = isRecord(body) && isRecord(body['error']) ? body['error'] : {};
  if (typeof api['code'] !== 'number' || typeof api['message'] !== 'string') return undefined;
  const message = withoutTokens(api['message']);
  return { status, reason: textOf(api['status']), message, ...switchedOff(api['details'], message) };
}

/** ErrorInfo of https://cloud.google.com/apis/design/errors#error_info; older APIs say it in the message alone. */
function switchedOff(details: unknown, message: string): Pick<Failure, 'disabled' | 'consumer'> {
  const infos = (Array.isArray(details) ? (details as unknown[]) : []).filter(isRecord);
  const info = infos.find(({ reason }) => reason === 'SERVICE_DISABLED');
  const metadata = isRecord(info?.['metadata']) ? info['metadata'] : {};
  return {
    disabled: info !== undefined || /has not been used in project|it is disabled/.test(message),
    consumer: textOf(metadata['consumer'])?.replace(/^projects\//, ''),
  };
}

/** Node hides the reason of a failed fetch in `cause`. */
function plainMessage(error: unknown, answered: boolean): string {
  if (!(error instanceof Error)) return String(error);
  if (answered) return error.message;
  const { cause } = error;
  const inner = isRecord(cause) ? (textOf(cause['code']) ?? textOf(cause['message'])) : undefined;
  return inner === undefined ? error.message : `${error.message} (${inner})`;
}

/** The libraries' Headers are not all Node's own class. */
function retryAfter(headers: unknown): number | undefined {
  const value =
    isRecord(headers) && typeof headers['get'] === 'function'
      ? (headers as unknown as Headers).get('retry-after')
      : null;
  const seconds = Number(value ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

function parsed(data: unknown): unknown {
  if (typeof data !== 'string') return data;
  try {
    return JSON.parse(data) as unknown;
  } catch {
    // Not JSON: a proxy's page, or plain text. It is shown as it is.
    return data;
  }
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, 200);
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && number >= 100 && number < 600 ? number : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

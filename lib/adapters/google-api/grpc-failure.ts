// A failed gRPC call in the words of HTTP, so that one classification serves both protocols.
// Source: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto (numbers and HTTP mapping)
import { errorInfoReason } from './error-info.ts';

interface GrpcFailure {
  readonly status: number;
  /** Google's own reason (`SERVICE_DISABLED`) where it gave one, else the name of the code (`NOT_FOUND`). */
  readonly reason: string;
  readonly message: string;
  readonly retryable: boolean;
}

interface Code {
  readonly name: string;
  readonly status: number;
  /**
   * Whether the same call may succeed later. Cancelled and aborted are the server's doing here (we do not cancel), and
   * Pub/Sub's and Firestore's own clients repeat after them.
   */
  readonly retryable: boolean;
}

const code = (name: string, status: number, retryable = false): Code => ({ name, status, retryable });

const CODES: Readonly<Record<number, Code>> = {
  1: code('CANCELLED', 499, true),
  2: code('UNKNOWN', 500, true),
  3: code('INVALID_ARGUMENT', 400),
  4: code('DEADLINE_EXCEEDED', 504, true),
  5: code('NOT_FOUND', 404),
  6: code('ALREADY_EXISTS', 409),
  7: code('PERMISSION_DENIED', 403),
  8: code('RESOURCE_EXHAUSTED', 429, true),
  9: code('FAILED_PRECONDITION', 400),
  10: code('ABORTED', 409, true),
  11: code('OUT_OF_RANGE', 400),
  12: code('UNIMPLEMENTED', 501),
  13: code('INTERNAL', 500, true),
  14: code('UNAVAILABLE', 503, true),
  15: code('DATA_LOSS', 500),
  16: code('UNAUTHENTICATED', 401),
};

/** Undefined where it is no error of a gRPC call: those have a small number as `code` and a text as `details`. */
export function grpcFailure(error: Readonly<Record<string, unknown>>): GrpcFailure | undefined {
  const { code: number, details, metadata } = error;
  const known = typeof number === 'number' ? CODES[number] : undefined;
  if (known === undefined || typeof details !== 'string') return undefined;
  return {
    status: known.status,
    reason: errorInfoReason(metadata) ?? known.name,
    message: details.trim(),
    retryable: known.retryable,
  };
}

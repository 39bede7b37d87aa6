// The Status object of Kubernetes: what its servers say when something is not as asked. Also the plain text that they
// (404 of an unknown path, 429 of an overload) and proxies between send instead.
import { withoutCredentials } from '../model/without-credentials.ts';

export interface KubernetesStatus {
  /** HTTP status; 0 where neither the body nor the caller knew it. */
  readonly code: number;
  /** One word, e.g. `Expired`, `NotFound`; '' for plain text and for some 500s. */
  readonly reason: string;
  readonly message: string;
  /** How long to wait, in seconds, where the server said so in `details`. */
  readonly retryAfterSeconds?: number;
  /** The token with which an expired list (410) can go on, at a newer resourceVersion. */
  readonly continueToken?: string;
  readonly details?: StatusDetails;
}

interface StatusDetails {
  readonly group?: string;
  /** Mostly the plural resource, sometimes the kind. */
  readonly kind?: string;
  readonly name?: string;
  readonly causes: readonly StatusCause[];
}

interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** A message of plain text or HTML is cut here: it is for a line of log. */
const MAX_PLAIN_TEXT = 500;

/**
 * Reads the body of a response that is not 2xx, or the object of an ERROR event. Tokens that it quotes are left out
 * (promise 9). Never throws.
 */
export function parseStatus(text: string | Uint8Array, httpStatus = 0): KubernetesStatus {
  const body = typeof text === 'string' ? text : new TextDecoder().decode(text);
  const status = asRecord(parsed(body));
  if (status === undefined || !looksLikeStatus(status)) {
    return { code: httpStatus, reason: '', message: withoutCredentials(body.trim()).slice(0, MAX_PLAIN_TEXT) };
  }
  const details = asRecord(status.details);
  const retryAfterSeconds = details?.retryAfterSeconds;
  const continueToken = asRecord(status.metadata)?.continue;
  return {
    code: typeof status.code === 'number' ? status.code : httpStatus,
    reason: asText(status.reason),
    message: withoutCredentials(asText(status.message)),
    ...(typeof retryAfterSeconds === 'number' && retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
    ...(typeof continueToken === 'string' && continueToken !== '' ? { continueToken } : {}),
    ...(details === undefined ? {} : { details: statusDetails(details) }),
  };
}

function statusDetails(details: Record<string, unknown>): StatusDetails {
  const causes = Array.isArray(details.causes) ? details.causes.map(asRecord) : [];
  return {
    ...(typeof details.group === 'string' ? { group: details.group } : {}),
    ...(typeof details.kind === 'string' ? { kind: details.kind } : {}),
    ...(typeof details.name === 'string' ? { name: details.name } : {}),
    causes: causes
      .filter((cause) => cause !== undefined)
      .map(({ reason, message, field }) => ({
        reason: asText(reason),
        message: withoutCredentials(asText(message)),
        field: withoutCredentials(asText(field)),
      })),
  };
}

/** Other JSON (a proxy's own error format, a list of paths) is shown as the text it is. */
function looksLikeStatus(value: Record<string, unknown>): boolean {
  return value.kind === 'Status' || (typeof value.code === 'number' && typeof value.message === 'string');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Plain text is one of the two forms.
  }
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

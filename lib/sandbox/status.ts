// Failures as the API server words them: a Status object, or for paths that nothing serves a line of text.
import type { JsonObject } from './json.ts';

export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** A resource as errors name it: `widgets.example.com`; core resources have group ''. */
export interface Named {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

export class ApiError extends Error {
  readonly code: number;
  /** The response's body: a Status, or text for what is not JSON. */
  readonly body: JsonObject | string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: number, body: JsonObject | string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.body = body;
    this.headers = headers;
  }
}

/** A Status of failure. `reason` and `details` are left out where undefined, as servers do. */
export function failure(
  code: number,
  reason: string | undefined,
  message: string,
  details?: JsonObject,
  headers: Record<string, string> = {},
): ApiError {
  return new ApiError(code, statusBody(code, reason, message, details), message, headers);
}

export function statusBody(
  code: number,
  reason: string | undefined,
  message: string,
  details?: JsonObject,
  metadata: JsonObject = {},
): JsonObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata,
    status: 'Failure',
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  };
}

export function qualified({ group, plural }: { group: string; plural: string }): string {
  return group === '' ? plural : `${plural}.${group}`;
}

/** `details` of a Status: name, group and kind, each only where there is one. */
export function detailsOf(group: string, kind: string, name?: string, causes?: readonly Cause[]): JsonObject {
  return {
    ...(name === undefined || name === '' ? {} : { name }),
    ...(group === '' ? {} : { group }),
    kind,
    ...(causes === undefined
      ? {}
      : { causes: causes.map(({ reason, message, field }) => ({ reason, message, field })) }),
  };
}

export function pathNotFound(): ApiError {
  return new ApiError(404, '404 page not found\n', 'no such path');
}

export function badRequest(message: string): ApiError {
  return failure(400, 'BadRequest', message);
}

export function notFound(resource: Named, name: string): ApiError {
  return failure(
    404,
    'NotFound',
    `${qualified(resource)} "${name}" not found`,
    detailsOf(resource.group, resource.plural, name),
  );
}

export function alreadyExists(resource: Named, name: string): ApiError {
  return failure(
    409,
    'AlreadyExists',
    `${qualified(resource)} "${name}" already exists`,
    detailsOf(resource.group, resource.plural, name),
  );
}

/** 409 of optimistic concurrency. `byKind` names the Kind instead of the plural, as failed delete preconditions do. */
export function conflict(resource: Named, name: string, why: string, byKind = false): ApiError {
  const kind = byKind ? resource.kind : resource.plural;
  const title = resource.group === '' ? kind : `${kind}.${resource.group}`;
  return failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${title} "${name}": ${why}`,
    detailsOf(resource.group, kind, name),
  );
}

export const modified = 'the object has been modified; please apply your changes to the latest version and try again';

export function forbidden(resource: Named, name: string, why: string, causes?: readonly Cause[]): ApiError {
  return failure(
    403,
    'Forbidden',
    `${qualified(resource)} "${name}" is forbidden: ${why}`,
    detailsOf(resource.group, resource.plural, name, causes),
  );
}

/** 422 with its causes; one cause stands in the message as it is, several in brackets. */
export function invalid(group: string, kind: string, name: string, causes: readonly Cause[]): ApiError {
  const list = causes.map(({ field, message }) => `${field}: ${message}`);
  const text = list.length === 1 ? list[0] : `[${list.join(', ')}]`;
  const title = group === '' ? kind : `${kind}.${group}`;
  return failure(422, 'Invalid', `${title} "${name}" is invalid: ${text}`, detailsOf(group, kind, name, causes));
}

export function invalidOptions(kind: string, causes: readonly Cause[]): ApiError {
  return invalid('meta.k8s.io', kind, '', causes);
}

/** 410, as a list answers it and as a watch's ERROR event carries it. */
export function expired(message: string): ApiError {
  return failure(410, 'Expired', message);
}

export function tooLargeRevision(asked: number, current: number): ApiError {
  return failure(
    504,
    'Timeout',
    `Timeout: Too large resource version: ${asked}, current: ${current}`,
    {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
    { 'Retry-After': '1' },
  );
}

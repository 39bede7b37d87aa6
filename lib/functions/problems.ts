// Errors as callers see them (RFC 9457): one shape, a stable type for each, and nothing of what is inside.
import type { HttpResponse } from '../ports/http.ts';

/** By the end of its type. */
const PROBLEMS = {
  unauthenticated: [401, 'The caller is not known'],
  denied: [403, 'The policy does not grant this'],
  'not-found': [404, 'There is nothing here'],
  'cluster-not-found': [404, 'There is no such cluster'],
  'ambiguous-cluster': [409, 'Several clusters have this name'],
  'ambiguous-service-account': [400, 'Several service accounts are granted'],
  'invalid-request': [400, 'The request is wrong'],
  'method-not-allowed': [405, 'The method is not allowed here'],
  'not-acceptable': [406, 'There is no such representation'],
  'request-timeout': [408, 'The request took too long'],
  'too-large': [413, 'The request is too large'],
  'uri-too-long': [414, 'The URL is too long'],
  'unsupported-media-type': [415, 'The body has another type than is taken here'],
  'headers-too-large': [431, 'The headers are too large'],
  'too-many-requests': [429, 'Too many requests'],
  upstream: [502, 'A cluster or Google did not give what was asked'],
  unavailable: [503, 'The service is not available now'],
  internal: [500, 'This is a bug'],
} as const;

export type ProblemName = keyof typeof PROBLEMS;
export const PROBLEM_NAMES = Object.keys(PROBLEMS) as ProblemName[];

export interface ProblemDetails {
  /** A sentence for the caller. Quotes nothing secret and nothing internal. */
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the document, e.g. RFC 6749's `error`. */
  readonly members?: Readonly<Record<string, string>>;
  /** True where the audit log has a line of it already. */
  readonly audited?: boolean;
  /** For the audit log, where that says it in another way. */
  readonly reason?: string;
  /** For our own log only. */
  readonly cause?: unknown;
}

/** Thrown by handlers. */
export class Problem extends Error {
  readonly problem: ProblemName;
  readonly details: ProblemDetails;

  constructor(problem: ProblemName, details: ProblemDetails = {}) {
    super(details.detail ?? PROBLEMS[problem][1], details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'Problem';
    this.problem = problem;
    this.details = details;
  }
}

export function statusOf(name: ProblemName): number {
  return PROBLEMS[name][0];
}

export function problemType(name: ProblemName): string {
  return `https://mk8s.dev/problems/${name}`;
}

export function problemResponse(name: ProblemName, requestId: string, details: ProblemDetails = {}): HttpResponse {
  const [status, title] = PROBLEMS[name];
  const { detail, headers, members } = details;
  const document = {
    type: problemType(name),
    title,
    status,
    ...(detail === undefined ? {} : { detail }),
    instance: `urn:uuid:${requestId}`,
    ...members,
  };
  return {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: `${JSON.stringify(document)}\n`,
  };
}

const BY_STATUS = {
  400: 'invalid-request',
  408: 'request-timeout',
  413: 'too-large',
  414: 'uri-too-long',
  431: 'headers-too-large',
  503: 'unavailable',
} as const satisfies Record<number, ProblemName>;

export function problemOfStatus(status: keyof typeof BY_STATUS): ProblemName {
  return BY_STATUS[status];
}

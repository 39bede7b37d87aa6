// What an endpoint is: its path, what it takes, what it gives, who may call it, and the function that does it.
import type { GenericSchema, InferOutput } from 'valibot';
import type { VerifiedCaller } from '../ports/caller.ts';
import type { HttpRequest } from '../ports/http.ts';
import type { Problem, ProblemName } from './problems.ts';
import type { Services } from './services.ts';

export type MediaType = 'application/json' | 'application/yaml';

/** What a handler gives back; the dispatcher makes a response of it. */
export interface Answer {
  readonly status?: number;
  /** Becomes JSON or YAML. */
  readonly body?: unknown;
  /** Sent as it is instead, with its content type and security policy. */
  readonly text?: { readonly type: string; readonly content: string; readonly contentSecurityPolicy?: string };
  readonly headers?: Readonly<Record<string, string>>;
  /** True where a client may keep it and ask with its ETag whether it still holds. */
  readonly revalidates?: boolean;
}

export interface Input<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Who calls; of routes that know their caller otherwise, or need none, not to be read. */
  readonly caller: VerifiedCaller;
  /** The caller by a token that came in another place than Authorization. Throws Problem `unauthenticated`, `unavailable` or `too-many-requests`. */
  readonly identify: (token: string) => Promise<VerifiedCaller>;
  readonly request: HttpRequest;
  readonly requestId: string;
  readonly services: Services;
}

export interface RouteShape<P extends GenericSchema, Q extends GenericSchema, B extends GenericSchema> {
  /** `operationId` of OpenAPI, and the name of the client's method. */
  readonly id: string;
  readonly summary: string;
  readonly method: 'GET' | 'POST';
  /** With `{name}` for a segment. */
  readonly path: string;
  /** `bearer`: an ID token in Authorization; `subject-token`: in the body, which the handler checks; `none`: anyone. */
  readonly caller: 'bearer' | 'subject-token' | 'none';
  /** Which of the rates counts. */
  readonly rate: 'lists' | 'tokens';
  /** True where it is answered however often it is asked: health, which platforms ask for. */
  readonly uncounted?: true;
  readonly params?: P;
  readonly query?: Q;
  /** Of JSON, or of a form where `form` is true. */
  readonly body?: B;
  readonly form?: boolean;
  /** The first is given where the client has no preference. */
  readonly gives: readonly MediaType[];
  readonly status: number;
  readonly answers: GenericSchema;
  /** By name, as components of OpenAPI. */
  readonly answerName: string;
  /** What it gives with `?as=…` instead, by name. */
  readonly instead?: Readonly<Record<string, GenericSchema>>;
  readonly problems: readonly ProblemName[];
  /** A problem with what the callers' protocol wants in it besides. */
  readonly explain?: (problem: Problem) => Problem;
  handle(input: Input<InferOutput<P>, InferOutput<Q>, InferOutput<B>>): Promise<Answer>;
}

/** A route of any shape: its handler is given what its schemas made, so that nobody else needs to know their types. */
export type Route = RouteShape<GenericSchema, GenericSchema, GenericSchema>;

/** Infers the types of a route's handler from its schemas. */
export function route<P extends GenericSchema, Q extends GenericSchema, B extends GenericSchema>(
  shape: RouteShape<P, Q, B>,
): Route {
  return shape;
}

/** The parameters of a path, still encoded; undefined where the path is another. */
export function matchPath(template: string, segments: readonly string[]): Record<string, string> | undefined {
  const parts = template.slice(1).split('/');
  if (parts.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const segment = segments[index] ?? '';
    if (part.startsWith('{')) params[part.slice(1, -1)] = segment;
    else if (part !== segment) return undefined;
  }
  return params;
}

// One request, from what came in to what goes out: route, caller, rate, input, handler, answer. Whatever goes wrong on the way ends
// as a problem of the one shape; what is not a problem is a bug, and nothing of it goes out.
import { randomUUID } from 'node:crypto';
import { Mk8sError } from '../model/errors.ts';
import type { VerifiedCaller } from '../ports/caller.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from '../ports/http.ts';
import { createAdmission } from './admission.ts';
import { bearerToken, verifiedCaller } from './authenticate.ts';
import { corsHeaders, preflight } from './cors.ts';
import { Problem, type ProblemName, problemOfStatus, problemResponse, statusOf } from './problems.ts';
import { checked, parameters, pathSegments, readBody } from './read-request.ts';
import { represent } from './represent.ts';
import { type Answer, matchPath, type Route } from './route.ts';
import type { Services } from './services.ts';

/** For every answer; an answer's own come before them. */
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

const NOBODY: VerifiedCaller = { issuer: '', subject: '' };
/** Refusals that are worth a line although nothing was to be minted. */
const AUDITED: ReadonlySet<ProblemName> = new Set([
  'denied',
  'cluster-not-found',
  'ambiguous-cluster',
  'ambiguous-service-account',
]);

export function createHandler(routes: readonly Route[], services: Services): HttpHandler {
  const admission = createAdmission(services);

  async function answer(request: HttpRequest, requestId: string): Promise<HttpResponse> {
    const { route, params } = routeOf(routes, request);
    if (route.caller === 'none' && route.uncounted !== true) admission.unknown(request, requestId);
    let caller: VerifiedCaller | undefined;
    const identify = async (token: string): Promise<VerifiedCaller> => {
      caller = await verifiedCaller(token, services, { requestId, signal: request.signal });
      admission.known(route.rate, caller);
      return caller;
    };
    const asked = async (): Promise<Answer> =>
      await route.handle({
        // Before anything else of the request is read.
        caller: route.caller === 'bearer' ? await identify(bearerToken(request)) : NOBODY,
        params: route.params === undefined ? params : checked(route.params, params, 'path'),
        query: route.query === undefined ? {} : checked(route.query, parameters(request.query, 'query'), 'query'),
        body: readBody(route, request),
        identify,
        request,
        requestId,
        services,
      });
    const given = await asked().catch((error: unknown) => {
      if (!(error instanceof Problem) || route.caller === 'none') throw error;
      refused(error, route, caller, request, requestId);
      throw route.explain?.(error) ?? error;
    });
    return await represent(route, { status: route.status, ...given }, request);
  }

  /** A line in the audit log where the refusal is worth one. Throws Problem `too-many-requests` instead, where nobody known has had too many. */
  function refused(
    { problem, details }: Problem,
    route: Route,
    caller: VerifiedCaller | undefined,
    request: HttpRequest,
    requestId: string,
  ): void {
    const { audit } = services;
    if (caller === undefined && statusOf(problem) < 500) admission.unknown(request, requestId);
    if (problem === 'unauthenticated') {
      audit({ requestId, decision: 'denied', what: 'authentication', reason: details.reason ?? problem });
    } else if (AUDITED.has(problem) && details.audited !== true) {
      const who = caller === undefined ? {} : { caller };
      audit({ requestId, decision: 'denied', what: route.id, reason: problem, ...who });
    }
  }

  function problemOf(error: unknown, request: HttpRequest, requestId: string): HttpResponse {
    if (error instanceof Problem) return problemResponse(error.problem, requestId, error.details);
    if (request.signal.aborted) return problemResponse('request-timeout', requestId);
    if (error instanceof Mk8sError) {
      services.report({ severity: 'ERROR', message: error.message, details: { requestId } });
      const wait = String(Math.max(1, Math.ceil((error.retryAfterMs ?? 5_000) / 1000)));
      return problemResponse('unavailable', requestId, { headers: { 'retry-after': wait } });
    }
    const message = `A bug: ${request.method} ended with ${error instanceof Error ? (error.stack ?? error.message) : 'something that is no error'}`;
    services.report({ severity: 'ERROR', message, details: { requestId } });
    return problemResponse('internal', requestId);
  }

  const finish = (response: HttpResponse, request: HttpRequest | undefined, requestId: string): HttpResponse => ({
    ...response,
    headers: {
      ...SECURITY_HEADERS,
      ...(request === undefined ? {} : corsHeaders(request, services.settings.corsOrigins)),
      ...response.headers,
      'x-request-id': requestId,
    },
  });

  return {
    async handle(request) {
      const requestId = randomUUID();
      const early = preflight(request, services.settings.corsOrigins);
      if (early !== undefined) return finish(early, request, requestId);
      const response = await answer(request, requestId).catch((error: unknown) => problemOf(error, request, requestId));
      return finish(response, request, requestId);
    },
    refuse(status) {
      const requestId = randomUUID();
      const name = problemOfStatus(status);
      const headers: Record<string, string> = status === 503 ? { 'retry-after': '5' } : {};
      return finish(problemResponse(name, requestId, { headers }), undefined, requestId);
    },
  };
}

function routeOf(
  routes: readonly Route[],
  request: HttpRequest,
): { readonly route: Route; readonly params: Readonly<Record<string, string>> } {
  const segments = pathSegments(request.path);
  const found = routes.flatMap((route) => {
    const params = matchPath(route.path, segments);
    return params === undefined ? [] : [{ route, params }];
  });
  if (found.length === 0) throw new Problem('not-found');
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const match = found.find(({ route }) => route.method === method);
  if (match !== undefined) return match;
  const allow = found.flatMap(({ route }) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method])).join(', ');
  throw new Problem('method-not-allowed', { headers: { allow } });
}

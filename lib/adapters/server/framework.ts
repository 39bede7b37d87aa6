// A handler as a function of @google-cloud/functions-framework. The framework parses bodies up to 1 GiB before the function runs, and
// answers what does not parse, or a path that does not decode, with a page of its own that has a stack in it. So what it would look at
// is taken out of its sight when a request begins, and given to the handler as it was.
//
// Source of the channel: https://nodejs.org/docs/latest-v24.x/api/diagnostics_channel.html#http
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { HttpHandler } from '../../ports/http.ts';
import { type AnswerLimits, answerWith, type Target, targetOf } from './answer.ts';
import { limitServer } from './limits.ts';

export type FrameworkFunction = (message: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * The function to export under the target's name. Must be made before the framework gets its first request, which it is when the
 * framework loads the module. Every server of the process is limited as ours are: it is the framework's alone.
 */
export function frameworkFunction(handler: HttpHandler, limits: AnswerLimits = {}): FrameworkFunction {
  const answer = answerWith(handler, limits);
  const targets = new WeakMap<IncomingMessage, Target>();
  const limited = new WeakSet<Server>();
  subscribe('http.server.request.start', (event) => {
    const { request, server } = event as { request: IncomingMessage; server: Server };
    if (!limited.has(server)) limitServer(server, handler);
    limited.add(server);
    targets.set(request, targetOf(request));
    request.url = '/';
    delete request.headers['content-length'];
    delete request.headers['transfer-encoding'];
  });
  return async (message, response) => await answer(message, response, targets.get(message));
}

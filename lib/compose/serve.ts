// `mk8s serve`: the functions in one process on node:http, for a laptop.
import { isIP } from 'node:net';
import { type RunningServer, serve } from '../adapters/server/serve.ts';
import type { Config } from '../config/options.ts';
import { Mk8sError } from '../model/errors.ts';
import type { HttpHandler } from '../ports/http.ts';
import type { Context } from './context.ts';
import { openFunction } from './functions.ts';

export interface Serving {
  readonly url: string;
  /** Lets requests that are under way end. */
  stop(): Promise<void>;
}

/** Listens when it resolves. Throws Mk8sError `config`: the policy, the port, or `as` on an address that others reach. */
export async function startServing(config: Config, context: Context, log: (line: object) => void): Promise<Serving> {
  const { host, port, proxies } = config.serve;
  if (config.serve.as !== undefined && (!isLoopback(host) || context.env['K_SERVICE'] !== undefined)) {
    throw new Mk8sError('--as makes everyone who reaches the port that caller; it is for a loopback --host alone', {
      code: 'config',
    });
  }
  // The port is known when it listens, and the audience is made of it: the handler comes after the server.
  const waiting = Promise.withResolvers<HttpHandler>();
  const early: HttpHandler = {
    handle: async (request) => await (await waiting.promise).handle(request),
    refuse: (status) => ({ status, headers: {}, body: '' }),
  };
  const late = { handler: early };
  const server: RunningServer = await serve(
    { handle: (request) => late.handler.handle(request), refuse: (status) => late.handler.refuse(status) },
    { host, port, proxies },
  );
  try {
    const url = config.serve.url ?? server.url;
    const opened = await openFunction({ name: 'all', config, context, inventory: 'live', url, log });
    late.handler = config.serve.as === undefined ? opened.handler : onlyFromHere(opened.handler);
    waiting.resolve(late.handler);
    return {
      url: server.url,
      async stop() {
        opened.drain();
        await server.stop();
        await opened.close();
      },
    };
  } catch (error) {
    waiting.reject(error);
    waiting.promise.catch(() => undefined);
    await server.stop(0);
    throw error;
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * Without a token, a page in a browser on this machine could be the caller, under a name that its author lets resolve to loopback:
 * only requests for a loopback name, and from no page, are answered.
 */
function onlyFromHere(handler: HttpHandler): HttpHandler {
  return {
    ...handler,
    async handle(request) {
      const [host = ''] = request.headers.get('host') ?? [];
      const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
      const site = request.headers.get('sec-fetch-site')?.[0] ?? 'none';
      const here = isLoopback(name) && ['none', 'same-origin'].includes(site);
      if (!here) return handler.refuse(400);
      const authorization = request.headers.get('authorization') ?? ['Bearer assumed'];
      return await handler.handle({
        ...request,
        headers: new Map([...request.headers, ['authorization', authorization]]),
      });
    },
  };
}

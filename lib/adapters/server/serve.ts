// A server of node:http for a handler: `mk8s serve`.
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Mk8sError } from '../../model/errors.ts';
import type { HttpHandler } from '../../ports/http.ts';
import { type AnswerLimits, answerWith } from './answer.ts';
import { CHECK_MS, HEADER_BYTES, limitServer } from './limits.ts';

const { createServer } = process.getBuiltinModule('node:http');

export interface ServeOptions extends AnswerLimits {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
}

export interface RunningServer {
  /** `http://HOST:PORT`. */
  readonly url: string;
  /** Takes no more connections, lets requests that are under way end, then closes; those that take longer than `graceMs` are cut off. */
  stop(graceMs?: number): Promise<void>;
}

/** Listens when it resolves. Throws Mk8sError `config` where it cannot listen there. */
export async function serve(handler: HttpHandler, { host, port, ...limits }: ServeOptions): Promise<RunningServer> {
  const answer = answerWith(handler, limits);
  const server = createServer(
    { maxHeaderSize: HEADER_BYTES, connectionsCheckingInterval: CHECK_MS, requireHostHeader: true },
    (message, response) => void answer(message, response),
  );
  limitServer(server, handler);
  await listen(server, host, port);
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    async stop(graceMs = 5_000) {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const late = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(late);
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen({ host, port, backlog: 4_096 });
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Mk8sError(
      `Cannot listen on ${host}:${port} (${code ?? 'unknown'}); choose another with --port or --host`,
      {
        code: 'config',
        cause: error,
      },
    );
  }
}

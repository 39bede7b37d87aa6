// A real HTTP server that receives webhooks: records every request and answers as the test says.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { KubernetesObject } from './cluster-client.ts';
import type { FeedEvent } from './materialise.ts';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Which connection it came on, counted from 1. */
  readonly connection: number;
}

export interface WebhookReceiver extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Complete requests in the order in which they ended; none where they are not to be remembered. */
  readonly requests: readonly ReceivedRequest[];
  /** The most requests that were open at once. */
  readonly busiest: () => number;
}

export type Answering = (request: ReceivedRequest, response: ServerResponse) => void | Promise<void>;

export async function startWebhookReceiver(
  answer: Answering = (_, response) => void response.writeHead(204).end(),
  { remember = true }: { readonly remember?: boolean } = {},
): Promise<WebhookReceiver> {
  const requests: ReceivedRequest[] = [];
  const connections = new Map<Socket, number>();
  let open = 0;
  let busiest = 0;
  const server = createServer((request, response) => {
    open += 1;
    busiest = Math.max(busiest, open);
    response.on('close', () => {
      open -= 1;
    });
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const received = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks),
        connection: connections.get(request.socket) ?? 0,
      };
      if (remember) requests.push(received);
      Promise.resolve(answer(received, response)).catch((error: unknown) => response.destroy(error as Error));
    });
  });
  server.on('connection', (socket) => connections.set(socket, connections.size + 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    busiest: () => busiest,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The change that a request in binary mode carries. */
export function eventOf({ headers, body }: ReceivedRequest): FeedEvent {
  const attributes = Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith('ce-'))
      .map(([name, value]) => [name.slice(3), decodeURIComponent(String(value))]),
  );
  return { ...(attributes as unknown as FeedEvent), data: JSON.parse(body.toString('utf8')) as KubernetesObject };
}

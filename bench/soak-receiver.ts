// The webhook of a soak: takes CloudEvents in binary mode, and is down when told to be.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Arrival } from './soak-state.ts';

export interface Receiver {
  readonly url: string;
  /** `refusing` answers 503, `silent` closes each connection without an answer. */
  state: 'up' | 'refusing' | 'silent';
  close(): void;
}

export async function startReceiver(take: (arrival: Arrival) => void): Promise<Receiver> {
  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  const receiver: Receiver = { url: '', state: 'up', close: () => server.close().closeAllConnections() };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const object = await text(request);
    if (receiver.state === 'silent') return void response.destroy();
    if (receiver.state === 'up') take({ ...attributes(request), object });
    response.writeHead(receiver.state === 'up' ? 204 : 503).end();
  }

  await once(server.listen(0, '127.0.0.1'), 'listening');
  return Object.assign(receiver, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
}

function attributes({ headers }: IncomingMessage): Omit<Arrival, 'object'> {
  const get = (name: string): string => decodeURIComponent(String(headers[`ce-${name}`] ?? ''));
  return {
    id: get('id'),
    type: get('type'),
    cluster: get('cluster'),
    resource: get('resource'),
    namespace: get('namespace'),
    name: get('name'),
    resourceVersion: get('resourceversion'),
    epoch: Number(get('epoch')),
    origin: get('origin'),
  };
}

// The smallest client that can change a cluster behind mk8s' back: it shares no code with lib/, so that a mistake there
// cannot hide itself here.
import { Agent, request as httpsRequest } from 'node:https';

/** Where an API server is and how to get in, whoever runs it. */
export interface ClusterEndpoint {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  readonly token: string;
  /** PEM. */
  readonly ca: string;
}

interface ClusterAnswer {
  readonly status: number;
  readonly text: string;
}

export interface ClusterClient extends AsyncDisposable {
  /** One request; rejects where no whole answer came. Objects are sent as JSON. */
  request(method: string, path: string, body?: unknown, contentType?: string): Promise<ClusterAnswer>;
  /** The same; rejects unless the status is 2xx, or 404 or 409 where `tolerate` has it. */
  call(method: string, path: string, body?: unknown, tolerate?: readonly number[]): Promise<KubernetesObject>;
}

export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly continue?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly [key: string]: unknown;
  };
  readonly items?: readonly KubernetesObject[];
  readonly [key: string]: unknown;
}

export function clusterClient(endpoint: ClusterEndpoint): ClusterClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ca: endpoint.ca });

  function send(
    method: string,
    path: string,
    body?: unknown,
    contentType = 'application/json',
  ): Promise<ClusterAnswer> {
    const sent = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = {
      authorization: `Bearer ${endpoint.token}`,
      accept: 'application/json',
      ...(sent === undefined ? {} : { 'content-type': contentType, 'content-length': sent.byteLength }),
    };
    return new Promise((resolve, reject) => {
      const request = httpsRequest(`${endpoint.url}${path}`, { method, headers, agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        );
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        // A pooled connection that ended with the server it led to; nothing was done over it.
        if (request.reusedSocket && error.code === 'ECONNRESET') resolve(send(method, path, body, contentType));
        else reject(error);
      });
      request.end(sent);
    });
  }

  return {
    request: send,
    async call(method, path, body, tolerate = []) {
      const { status, text } = await send(method, path, body);
      if (status >= 300 && !tolerate.includes(status)) throw new Error(`${method} ${path}: ${status} ${text}`);
      return text.startsWith('{') ? (JSON.parse(text) as KubernetesObject) : { metadata: {}, text };
    },
    [Symbol.asyncDispose]: async () => agent.destroy(),
  };
}

/** All objects of a collection such as `/apis/example.com/v1/widgets`, in pages of 500. */
export async function listAll(client: ClusterClient, path: string): Promise<KubernetesObject[]> {
  const items: KubernetesObject[] = [];
  for (let token: string | undefined = ''; token !== undefined; ) {
    const query: string = token === '' ? '' : `&continue=${encodeURIComponent(token)}`;
    const page: KubernetesObject = await client.call('GET', `${path}?limit=500${query}`);
    items.push(...(page.items ?? []));
    token = page.metadata.continue || undefined;
  }
  return items;
}

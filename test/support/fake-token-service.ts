// mk8s' token service as docs/functions.md has its wire, on loopback: it answers whoever shows the right audience, and remembers.
import { text } from 'node:stream/consumers';
import { serveHttp } from './loopback-server.ts';

interface ServiceRequest {
  readonly method: string;
  /** Path and query, as they came. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body: unknown;
}

export interface FakeTokenService extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly ServiceRequest[];
  answer: (request: ServiceRequest) => ServiceAnswer;
}

/** RFC 9457, as the service sends them. */
export function problem(status: number, name: string, title: string, detail: string): ServiceAnswer {
  const type = `https://mk8s.dev/problems/${name}`;
  const instance = 'urn:uuid:0b7c8a52-8f5e-4f0e-9d58-0e9a1a1f0c11';
  return {
    status,
    headers: { 'content-type': 'application/problem+json' },
    body: { type, title, status, detail, instance },
  };
}

export async function startFakeTokenService(answer: FakeTokenService['answer']): Promise<FakeTokenService> {
  const requests: ServiceRequest[] = [];
  const server = await serveHttp((message, response) => {
    text(message).then(
      (body) => {
        const { method = '', url: target = '', headers } = message;
        const request = { method, target, headers, body };
        requests.push(request);
        const { status, headers: own = {}, body: sent } = service.answer(request);
        response.writeHead(status, { 'content-type': 'application/json', ...own });
        response.end(typeof sent === 'string' ? sent : JSON.stringify(sent));
      },
      () => response.destroy(),
    );
  });
  const service: FakeTokenService = {
    url: server.url.href.replace(/\/$/, ''),
    requests,
    answer,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return service;
}

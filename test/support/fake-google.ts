// Google's token services and APIs, as far as mk8s asks them, on loopback: metadata server, STS, IAM credentials, GKE, Hub.
// It answers by the rules of the real ones (headers, statuses, error bodies), and what it hands out can be told apart.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as it came in. */
interface GoogleRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface GoogleAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body: unknown;
}

export type Answering = (request: GoogleRequest) => GoogleAnswer | undefined;

/** Takes a request before its body is read, and answers it itself: a proxy. False for what it leaves alone. */
export type Forwarding = (message: IncomingMessage, response: ServerResponse) => boolean;

export interface FakeGoogle extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** `127.0.0.1:PORT`, for GCE_METADATA_HOST. */
  readonly host: string;
  readonly requests: readonly GoogleRequest[];
  /** What to answer before anything else; undefined for what it would answer by itself. */
  answer: Answering;
}

interface Behind {
  /** Asked where `answering` has nothing to say. */
  readonly otherwise?: (request: GoogleRequest) => Promise<GoogleAnswer | undefined>;
  readonly forward?: Forwarding;
}

export async function startFakeGoogle(answering: Answering, { otherwise, forward }: Behind = {}): Promise<FakeGoogle> {
  const requests: GoogleRequest[] = [];
  const nothing: GoogleAnswer = { status: 404, body: apiError(404, 'NOT_FOUND', 'not here') };
  async function answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await read(message);
    requests.push(request);
    send(response, fake.answer(request) ?? (await otherwise?.(request)) ?? nothing);
  }
  const server = createServer((message, response) => {
    if (forward?.(message, response) === true) return;
    answer(message, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const fake: FakeGoogle = {
    url: `http://${host}`,
    host,
    requests,
    answer: answering,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return fake;
}

/** Error body of a Google API: https://cloud.google.com/apis/design/errors#http_mapping */
export function apiError(code: number, status: string, message: string, reason?: string): object {
  const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com' };
  return { error: { code, message, status, ...(reason === undefined ? {} : { details: [info] }) } };
}

/** An unsigned JWT with these claims. */
export function jwtOf(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.c2lnbmF0dXJl`;
}

/** The metadata server: without `Metadata-Flavor: Google` it refuses, and with X-Forwarded-For too. */
export function metadataServerAnswers(values: Readonly<Record<string, unknown>>): Answering {
  return ({ url, headers }) => {
    if (!url.pathname.startsWith('/computeMetadata/v1/')) return undefined;
    const flavor = { 'metadata-flavor': 'Google' };
    if (headers['metadata-flavor'] !== 'Google' || headers['x-forwarded-for'] !== undefined) {
      return { status: 403, headers: flavor, body: 'Missing Metadata-Flavor:Google header.' };
    }
    const key = url.pathname.slice('/computeMetadata/v1/'.length);
    if (!(key in values)) return { status: 404, headers: flavor, body: 'not found' };
    const value = values[key];
    return { headers: flavor, body: typeof value === 'function' ? (value(url) as unknown) : value };
  };
}

async function read(message: IncomingMessage): Promise<GoogleRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return {
    method: message.method ?? '',
    url: new URL(message.url ?? '', 'http://fake'),
    headers: message.headers,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

function send(response: ServerResponse, { status = 200, headers = {}, body }: GoogleAnswer): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/plain' : 'application/json';
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(text);
}

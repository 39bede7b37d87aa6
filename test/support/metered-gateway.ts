// A gateway in front of API servers that counts: streams that are open at the same time, and requests in each minute. Beyond
// its limits it refuses as Google's APIs do.
import type { ApiRequest, ApiResponse, ApiServer } from '../../lib/ports/api-server.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { apiError } from './fake-google.ts';

export interface MeteredGateway {
  /** The same server, behind the gateway. */
  forward(api: ApiServer): ApiServer;
  readonly openStreams: number;
  /** Most streams at the same time. */
  readonly peak: number;
  /** Most requests within any minute so far. */
  readonly busiest: number;
  readonly requests: number;
  readonly refused: readonly string[];
}

export function meteredGateway(
  clock: Pick<Clock, 'now'>,
  { streams, requestsPerMinute }: { readonly streams: number; readonly requestsPerMinute: number },
): MeteredGateway {
  const times: number[] = [];
  const refused: string[] = [];
  let openStreams = 0;
  let peak = 0;
  let busiest = 0;
  let requests = 0;

  function refusal(why: string): ApiResponse {
    refused.push(why);
    const text = JSON.stringify(apiError(429, 'RESOURCE_EXHAUSTED', `Quota exceeded: ${why}`));
    return {
      status: 429,
      headers: { 'content-type': 'application/json', 'retry-after': '2' },
      body: (async function* () {
        yield [Buffer.from(text)];
      })(),
    };
  }

  async function* counted(body: ApiResponse['body'], ended: () => void): AsyncGenerator<readonly Uint8Array[]> {
    try {
      yield* body;
    } finally {
      ended();
    }
  }

  async function forwarded(api: ApiServer, request: ApiRequest): Promise<ApiResponse> {
    const now = clock.now();
    while ((times[0] ?? now) <= now - 60_000) times.shift();
    if (times.length >= requestsPerMinute) return refusal(`${requestsPerMinute} requests a minute`);
    times.push(now);
    requests += 1;
    busiest = Math.max(busiest, times.length);
    if (request.query?.['watch'] !== true) return await api.request(request);
    if (openStreams >= streams) return refusal(`${streams} active streams`);
    openStreams += 1;
    peak = Math.max(peak, openStreams);
    let isOpen = true;
    const ended = (): void => {
      if (isOpen) openStreams -= 1;
      isOpen = false;
    };
    // A body that nobody reads ends with its request.
    request.signal?.addEventListener('abort', ended, { once: true });
    try {
      const response = await api.request(request);
      return { ...response, body: counted(response.body, ended) };
    } catch (error) {
      ended();
      throw error;
    }
  }

  return {
    forward: (api) => ({ server: api.server, request: (asked) => forwarded(api, asked), close: () => api.close() }),
    get openStreams() {
      return openStreams;
    },
    get peak() {
      return peak;
    },
    get busiest() {
      return busiest;
    },
    get requests() {
      return requests;
    },
    refused,
  };
}

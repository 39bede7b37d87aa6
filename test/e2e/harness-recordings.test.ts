// The player of recordings is itself tested with Node's own HTTP client, before others trust it.
import { Agent, type IncomingMessage, request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { recordedExchange, recordings } from '../support/recordings.ts';
import { startRecordingsServer, wireReply } from '../support/recordings-server.ts';

/** A whole answer; `complete` is false where the connection ended before the body did. */
async function get(url: string, agent?: Agent): Promise<{ status: number; body: Buffer; complete: boolean }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, agent === undefined ? {} : { agent }, resolve)
      .on('error', reject)
      .end();
  });
  const body: Buffer[] = [];
  try {
    for await (const chunk of response) body.push(chunk as Buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(body), complete: response.complete };
}

describe.skipIf(recordings === undefined)('a played recording (MK8S_RECORDINGS)', () => {
  test.each([
    'v1.36.2/20-list/full',
    'v1.36.2/20-list/get-one',
    'v1.36.2/25-expired/watch-410-after-restart',
    'v1.36.2/30-error/404-resource',
    'v1.36.2/50-watch/watchlist-cluster',
    'v1.36.2/50-watch/big-1MiB-line',
    'v1.36.2/70-http/gzip-large-list',
    'v1.36.2/70-http/h1-connection-close',
    'v1.20.2/watch-from-rv',
  ])('%s arrives with its status and body, in any pieces', async (name) => {
    const { response } = recordedExchange(name);
    for (const pieceBytes of [undefined, response.body.byteLength > 100_000 ? 9973 : 101]) {
      await using server = await startRecordingsServer({ answer: () => name, ...(pieceBytes && { pieceBytes }) });
      const got = await get(server.url);
      expect(got.status).toBe(response.status);
      expect(got.body.equals(response.body)).toBe(true);
      expect(got.complete).toBe(true);
    }
  });

  test('the stream of a killed server ends without its 0-chunk', async () => {
    await using server = await startRecordingsServer({ answer: () => 'v1.36.2/80-restart/kill-9-mid-watch-h1' });
    const got = await get(server.url);
    expect(got.body.toString('utf8').trimEnd().split('\n')).toHaveLength(6);
    expect(got.complete).toBe(false);
  });

  test('one connection serves a watch that ended and then another request', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await using server = await startRecordingsServer({
      answer: ({ target }) =>
        target === '/version' ? 'v1.36.2/10-discovery/version' : 'v1.36.2/50-watch/watch-from-rv',
    });
    await get(`${server.url}/apis/example.com/v1/widgets?watch=true`, agent);
    await get(`${server.url}/version`, agent);
    agent.destroy();
    expect(server.requests.map(({ target, connection }) => [target, connection])).toEqual([
      ['/apis/example.com/v1/widgets?watch=true', 1],
      ['/version', 1],
    ]);
  });

  test.each(['50-watch/watchlist-cluster', '70-http/h1-list-above-2KiB', '80-restart/kill-9-mid-watch-h1'])(
    '%s: the frames built for recordings without raw bytes are those of the raw bytes',
    (name) => {
      const raw = wireReply(`v1.36.2/${name}`);
      const built = wireReply(`v1.36.2/${name}`, { framed: true });
      expect(built.bytes.toString('latin1')).toBe(raw.bytes.toString('latin1'));
      expect(built.closes).toBe(raw.closes);
    },
  );
});

// A small JSON document by GET: an issuer's keys. Over node's own http, because fetch costs 45 ms of a start.
import type { IncomingMessage } from 'node:http';
import { parseStrictJson } from '../../model/strict-json.ts';

const MOST_BYTES = 256 * 1024;
const TIMEOUT_MS = 10_000;

/** No redirect is followed. Throws where the answer is not 200 with JSON of at most 256 KiB within 10 s. */
export async function getJson(
  url: URL,
  signal?: AbortSignal,
): Promise<{ readonly body: unknown; readonly maxAgeSeconds: number | undefined }> {
  const limit = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal === undefined ? [] : [signal])]);
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const { request } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
    request(url, { signal: limit, headers: { accept: 'application/json' } }, resolve)
      .on('error', reject)
      .end();
  });
  if (message.statusCode !== 200) {
    message.destroy();
    throw new Error(`${url.origin} answered ${message.statusCode ?? 'nothing'}`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Error(`${url.origin} answered more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  const parsed = parseStrictJson(Buffer.concat(chunks));
  if (!('value' in parsed)) throw new Error(`the answer of ${url.origin} ${parsed.problem}`);
  const maxAge = /(?:^|[\s,])max-age=(\d{1,9})/.exec(message.headers['cache-control'] ?? '')?.[1];
  return { body: parsed.value, maxAgeSeconds: maxAge === undefined ? undefined : Number(maxAge) };
}

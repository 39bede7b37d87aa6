// A watch on its socket: pulled line by line, so that a slow reader slows only itself.
import { once } from 'node:events';
import type { Faults } from './faults.ts';
import { commonHeaders, type Request, type Response } from './reply.ts';
import type { WatchAnswer } from './resources.ts';
import { type WatchSettings, watchLines } from './watch.ts';

/** Streams until the watch or the connection ends; never rejects for a client that went away. */
export async function stream(
  request: Request,
  response: Response,
  answer: WatchAnswer,
  settings: WatchSettings,
  faults: Faults,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.writeHead(200, { ...commonHeaders(request), 'Content-Type': 'application/json', ...answer.headers });
  // HTTP/2 has sent them; HTTP/1.1 would wait for the first line.
  if ('flushHeaders' in response) (response as unknown as { flushHeaders(): void }).flushHeaders();
  const lines = watchLines(answer.collection, answer.watch, answer.matches, answer.view, settings, gone.signal);
  for await (const piece of lines) {
    await faults.silence();
    if (gone.signal.aborted) return;
    if (faults.takeTruncation()) {
      breakOff(request, response, piece);
      return;
    }
    if (!response.write(piece)) await drained(response, gone.signal);
  }
  await faults.silence();
  response.end();
}

async function drained(response: Response, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  try {
    await once(response, 'drain', { signal });
  } catch {
    // The connection is gone; the caller sees that by its signal.
  }
}

function breakOff({ httpVersionMajor }: Request, response: Response, piece: string): void {
  response.write(piece.slice(0, Math.max(1, Math.floor(piece.length / 2))), () => {
    // HTTP/2 has no half a connection to lose: the stream ends with INTERNAL_ERROR.
    if (httpVersionMajor >= 2) response.stream.close(2);
    else response.destroy();
  });
}

// A watch as a client sees it: lines as they come, and how it ended. HTTP/1.1, one connection each.
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:https';

interface WatchEvent {
  readonly type: string;
  readonly object: {
    readonly kind?: string;
    readonly code?: number;
    readonly reason?: string;
    readonly metadata: {
      readonly name?: string;
      readonly resourceVersion?: string;
      readonly annotations?: Record<string, string>;
      readonly deletionTimestamp?: string;
    };
  };
}

export interface OpenWatch {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** The next event; rejects where the stream ends before it. */
  next(): Promise<WatchEvent>;
  /** All events that come until the stream ends. */
  rest(): Promise<WatchEvent[]>;
  /** How it ended: with the last chunk, or without. */
  readonly end: Promise<'clean' | 'broken'>;
  /** What came after the last newline. */
  remainder(): string;
  /** Stops reading from the socket. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** Resolves with the response's head; rejects where none comes. */
export function openWatch(
  { url, ca, token }: { url: string; ca: string; token: string },
  path: string,
): Promise<OpenWatch> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}${path}`,
      { ca, agent: false, headers: { authorization: `Bearer ${token}` } },
      (response) => resolve(reader(sent, response)),
    );
    sent.on('error', reject);
    sent.end();
  });
}

function reader(sent: ClientRequest, response: IncomingMessage): OpenWatch {
  let text = '';
  const waiting: (() => void)[] = [];
  const queue: WatchEvent[] = [];
  let over = false;
  const wake = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  const ended = Promise.withResolvers<'clean' | 'broken'>();
  const finish = (): void => {
    if (over) return;
    over = true;
    ended.resolve(response.complete ? 'clean' : 'broken');
    wake();
  };
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    if (response.statusCode !== 200) return;
    for (const line of lines) queue.push(JSON.parse(line) as WatchEvent);
    wake();
  });
  response.on('end', finish);
  response.on('error', finish);
  response.on('close', finish);
  sent.on('error', finish);
  const next = async (): Promise<WatchEvent | undefined> => {
    const dry = (): boolean => queue.length === 0 && !over;
    while (dry()) await new Promise<void>((resolve) => waiting.push(resolve));
    return queue.shift();
  };
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    async next() {
      const event = await next();
      if (event === undefined) throw new Error(`the stream ended (${await ended.promise}), remainder: ${text}`);
      return event;
    },
    async rest() {
      const events: WatchEvent[] = [];
      for (let event = await next(); event !== undefined; event = await next()) events.push(event);
      return events;
    },
    end: ended.promise,
    remainder: () => text,
    pause: () => response.pause(),
    resume: () => response.resume(),
    close: () => sent.destroy(),
  };
}

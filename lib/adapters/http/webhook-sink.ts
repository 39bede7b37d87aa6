// Publishes changes to a webhook: CloudEvents over HTTP in binary mode, one request a change.
// Promise 9 (no secret in a message) is kept here, promise 2 (order within an object) in lanes.ts; retrying is the bridge's.
import { Agent as HttpsAgent } from 'node:https';
import { createSemaphore } from '../../async/semaphore.ts';
import { Mk8sError } from '../../model/errors.ts';
import { changeId, type Revision } from '../../model/revision.ts';
import { streamKey } from '../../model/stream.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetterStore, EventSink } from '../../ports/event-sink.ts';
import { binaryEventHeaders } from './binary-event.ts';
import { createLanes } from './lanes.ts';
import { type PostTarget, post } from './post.ts';
import { retryAfterMs } from './retry-after.ts';

// Not imported, so that undici is not loaded: see adapters/kubernetes/transport.ts.
const { Agent: HttpAgent, validateHeaderName, validateHeaderValue } = process.getBuiltinModule('node:http');

export interface WebhookOptions {
  /** `http://` or `https://`. User and password become basic authentication. */
  readonly url: string;
  /** Further request headers, e.g. `authorization`. They appear in no message. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long one request may take, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** How many requests may be open at once, over all streams. Default 8. */
  readonly concurrency?: number;
  /** PEM of the certificate authorities to trust, instead of Node's. */
  readonly ca?: string;
  readonly deadLetters: DeadLetterStore;
  readonly clock: Clock;
}

/** Below the five seconds after which many servers (Node's among them) close an idle connection, to avoid the race. */
const idleMs = 4_000;

/**
 * A webhook as a sink. 2xx acknowledges a change. 1xx, 408, 425, 429, 5xx and network errors fail the batch with a
 * retryable Mk8sError (`retryAfterMs` where the server said so): it is to be published again, and goes on where it
 * failed. 401 and 407 fail it with Mk8sError `credentials`, redirects (not followed) with `config`: neither is
 * retryable. Any other 4xx stores the change as a dead letter and goes on. Changes of one object go out one after the
 * other, different objects in parallel.
 *
 * Throws Mk8sError `config` where the URL cannot be used.
 */
export function webhookSink(options: WebhookOptions): EventSink {
  const { url, authorization } = parseTarget(options.url);
  const headers = { ...(authorization === undefined ? {} : { authorization }), ...checked(options.headers ?? {}) };
  const concurrency = options.concurrency ?? 8;
  const pool = { keepAlive: true, maxFreeSockets: concurrency, timeout: idleMs };
  const agent =
    url.protocol === 'https:'
      ? new HttpsAgent({ ...pool, ...(options.ca === undefined ? {} : { ca: options.ca }) })
      : new HttpAgent(pool);
  const name = nameOf(url);
  const target: PostTarget = { url, name, agent, timeoutMs: options.timeoutMs ?? 30_000, clock: options.clock };
  const delivery: Delivery = { ...options, target, headers };
  const lanes = createLanes(createSemaphore(concurrency), (revision, signal) => deliver(revision, delivery, signal));
  return {
    name,
    publish: lanes.publish,
    close: async () => agent.destroy(),
  };
}

interface Delivery {
  readonly target: PostTarget;
  readonly headers: Readonly<Record<string, string>>;
  readonly deadLetters: DeadLetterStore;
  readonly clock: Clock;
}

async function deliver(revision: Revision, to: Delivery, signal: AbortSignal): Promise<void> {
  const { target, clock } = to;
  const answer = await post(target, { ...to.headers, ...binaryEventHeaders(revision) }, revision.object, signal);
  const { status } = answer;
  if (status >= 200 && status < 300) return;
  if (status >= 300 && status < 400) {
    throw new Mk8sError(
      `Cannot publish to ${target.name}: it answered ${status}, and redirects are not followed. Configure the URL that it redirects to.`,
      { code: 'config', status },
    );
  }
  if (status === 401 || status === 407) {
    // What is wrong is ours, the same for every change: as dead letters, all would be lost to the subscriber.
    throw new Mk8sError(
      `Cannot publish to ${target.name}: it refused the credentials (${status}). Check the user and password of its URL.`,
      { code: 'credentials', status },
    );
  }
  // An answer below 200 is no end of anything (101 to a request that asked for no upgrade).
  if (status < 200 || status === 408 || status === 425 || status === 429 || status >= 500) {
    const wait = retryAfterMs(answer.retryAfter, clock.now());
    throw new Mk8sError(`Cannot publish to ${target.name}: it answered ${status}. The changes are sent again.`, {
      code: 'http',
      status,
      retryable: true,
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    });
  }
  await to.deadLetters.put({
    sink: target.name,
    stream: streamKey(revision.stream),
    sequence: revision.sequence,
    id: changeId(revision.stream.cluster, revision.epoch, revision.uid, revision.resourceVersion, revision.type),
    reason: `answered ${status}`,
    at: clock.now(),
  });
}

function parseTarget(text: string): { url: URL; authorization: string | undefined } {
  const url = URL.parse(text);
  const credentials = url === null ? undefined : credentialsOf(url);
  if (url === null || credentials === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    // The text is not repeated: it may hold credentials that only fail to parse.
    throw new Mk8sError('Cannot use a webhook: its URL must be like https://[USER:PASSWORD@]HOST[:PORT]/PATH.', {
      code: 'config',
    });
  }
  url.username = '';
  url.password = '';
  url.hash = '';
  const encoded = Buffer.from(credentials, 'utf8').toString('base64');
  return { url, authorization: credentials === ':' ? undefined : `Basic ${encoded}` };
}

/** `USER:PASSWORD`, undefined where their percent-encoding is broken. */
function credentialsOf({ username, password }: URL): string | undefined {
  try {
    return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  } catch {
    return undefined;
  }
}

/** Scheme, host and path: a query may hold a key. */
function nameOf(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function checked(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      try {
        validateHeaderName(name);
        validateHeaderValue(name, value);
      } catch {
        throw new Mk8sError(`Cannot use a webhook: its header ${JSON.stringify(name)} is not one that HTTP allows.`, {
          code: 'config',
        });
      }
      return [name.toLowerCase(), value];
    }),
  );
}

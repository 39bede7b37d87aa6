// The way from one client to a cluster: an ApiServer whose requests take time, arrive in another order, or not at all.
import { Mk8sError } from '../../../lib/model/errors.ts';
import type { ApiRequest, ApiResponse, ApiServer } from '../../../lib/ports/api-server.ts';
import type { Clock } from '../../../lib/ports/clock.ts';
import type { Dice } from '../random.ts';
import { type Answer, type Piece, type Sink, statusAnswer, type Tells } from './answers.ts';
import type { ApiProcess } from './api-process.ts';
import { Body, type BodyFate } from './body.ts';
import type { SimCredentials } from './credentials.ts';
import type { FaultDice } from './fault-dice.ts';
import { httpError, httpFault, unauthorized } from './http-faults.ts';
import type { After } from './timers.ts';

/** How long the transport waits for response headers, milliseconds (lib/adapters/kubernetes/transport.ts). */
const HEADERS_MS = 60_000;
const WINDOW_BYTES = 1024 * 1024;
const WHOLE: BodyFate = { bytes: 0, ending: 'goes on', chunkMs: 0 };

export interface NetworkWorld {
  readonly name: string;
  readonly address: string;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly faults: FaultDice;
  readonly after: After;
  readonly credentials: SimCredentials;
  /** The process that this request reaches; undefined where nobody listens. */
  readonly reach: () => ApiProcess | undefined;
  readonly cutOff: () => 'no' | 'refused' | 'silent';
  readonly answer: (request: ApiRequest, process: ApiProcess) => Answer;
  readonly bodies: Set<Body>;
  readonly count: (what: string) => void;
  readonly onTold: (tells: Tells) => void;
}

export function openNetwork(world: NetworkWorld): ApiServer {
  const { clock, dice, faults, credentials, count, address } = world;
  let token = credentials.current;
  const own = new Set<Body>();
  let closedHere = false;

  async function request(asked: ApiRequest): Promise<ApiResponse> {
    const { signal } = asked;
    signal?.throwIfAborted();
    throwIfClosed();
    count(`request.${kindOf(asked)}`);
    await clock.sleep(delay(), signal);
    if (asked.freshCredentials === true) renew();
    await cross(signal);
    const process = world.reach();
    if (process === undefined) throw refused();
    // What is answered is decided now, and a watch goes on from here while its headers are still on the way.
    const response = respond(answerOf(process, asked), process, asked);
    await clock.sleep(delay(), signal);
    if (!process.dead && !closedHere) return response;
    await response.body[Symbol.asyncIterator]().return?.();
    throwIfClosed();
    throw closed();
  }

  /** As a pool that was closed answers (lib/adapters/kubernetes/transport-pool.ts). */
  function throwIfClosed(): void {
    if (closedHere) throw closedByUs();
  }

  function closedByUs(): Mk8sError {
    return new Mk8sError(`The connection to ${address} was closed here.`, { code: 'unreachable' });
  }

  function renew(): void {
    if (token !== credentials.current && faults.strikes('cluster', 'issuerFails') !== undefined) {
      throw new Mk8sError(`Cannot get a credential for cluster "${world.name}": the plugin did not finish in time.`, {
        code: 'credentials',
        retryable: true,
      });
    }
    token = credentials.current;
  }

  /** Most answers take a few milliseconds; reordered ones come after those to later requests. */
  function delay(): number {
    const reordered = faults.strikes('connection', 'reordered');
    return reordered === undefined ? 1 + dice.int(4) : 1 + reordered.int(2_000);
  }

  /** Throws where the request does not get there. */
  async function cross(signal: AbortSignal | undefined): Promise<void> {
    const cut = world.cutOff();
    if (cut === 'silent' || faults.strikes('connection', 'halfOpen')?.chance(0.3) === true) {
      await clock.sleep(HEADERS_MS, signal);
      throw unreachable(`no answer came within ${HEADERS_MS / 1000} s. Check the address, firewalls and proxy-url.`);
    }
    if (cut === 'refused' || faults.strikes('connection', 'refused') !== undefined) throw refused();
    if (faults.strikes('connection', 'reset')?.chance(0.4) === true) {
      throw closed();
    }
  }

  function answerOf(process: ApiProcess, asked: ApiRequest): Answer {
    if (process.leaving)
      return statusAnswer({ code: 503, reason: 'ServiceUnavailable', message: 'apiserver is shutting down' });
    const stale = !credentials.accepts(token);
    const error = stale ? unauthorized : httpFault(faults.strikes);
    if (error === undefined) return world.answer(asked, process);
    const quotes = faults.strikes('http', 'quotesToken') !== undefined;
    return httpError(error, quotes ? `; the request had "Bearer ${token}"` : '');
  }

  function respond(answer: Answer, process: ApiProcess, { signal, readAheadBytes }: ApiRequest): ApiResponse {
    const { status, headers, body } = answer;
    count(`status.${status}`);
    const abort = (): void => response.abort(signal?.reason);
    const response = new Body({
      server: address,
      window: readAheadBytes ?? WINDOW_BYTES,
      fate: fate(typeof body === 'function'),
      dice,
      after: world.after,
      onTold: world.onTold,
      onOver() {
        signal?.removeEventListener('abort', abort);
        world.bodies.delete(response);
        own.delete(response);
        process.connections.delete(response);
      },
    });
    world.bodies.add(response);
    own.add(response);
    process.connections.add(response);
    signal?.addEventListener('abort', abort, { once: true });
    if (typeof body === 'function') body(response);
    else sendAll(body, response);
    return { status, headers, body: response, ownsChunks: dice.chance(0.5) };
  }

  /** What will happen to a body. Watches run longer, so they break later. */
  function fate(watch: boolean): BodyFate {
    const reset = faults.strikes('connection', 'reset');
    const truncated = faults.strikes('connection', 'truncated');
    const halfOpen = faults.strikes('connection', 'halfOpen');
    const slow = faults.strikes('connection', 'slow');
    const chunkMs = slow === undefined ? 0 : 1 + slow.int(slow.chance(0.2) ? 20_000 : 1_000);
    const reach = watch ? 6_000 : 2_500;
    if (truncated !== undefined)
      return { bytes: truncated.int(reach), ending: truncated.chance(0.3) ? 'ends' : 'breaks', chunkMs };
    if (reset !== undefined) return { bytes: reset.int(reach), ending: 'breaks', chunkMs };
    if (halfOpen !== undefined) return { bytes: halfOpen.int(reach), ending: 'falls silent', chunkMs };
    return { ...WHOLE, chunkMs };
  }

  function closed(): Mk8sError {
    return unreachable('the connection was closed before it answered (ECONNRESET).');
  }

  function refused(): Mk8sError {
    return unreachable(
      'the connection was refused (ECONNREFUSED). Check that it is up and that address and port are right.',
    );
  }

  function unreachable(why: string): Mk8sError {
    return new Mk8sError(`Cannot reach cluster "${world.name}" (${address}): ${why}`, {
      code: 'unreachable',
      retryable: true,
    });
  }

  return {
    server: address,
    request,
    close() {
      closedHere = true;
      for (const body of own) body.abort(closedByUs());
      return Promise.resolve();
    },
  };
}

/** As much at a time as the reader allows. */
function sendAll(pieces: readonly Piece[], sink: Sink): void {
  let next = 0;
  function send(): void {
    while (next < pieces.length && sink.writable) {
      const { text, tells } = pieces[next] as Piece;
      next += 1;
      sink.send(text, tells);
    }
    if (next === pieces.length) sink.end();
  }
  sink.attach({ drained: send, closed: () => undefined });
  send();
}

/** What a request is for, in a word. */
function kindOf({ path, query = {} }: ApiRequest): string {
  if (query.sendInitialEvents !== undefined) return 'streaming list';
  if (query.watch !== undefined) return 'watch';
  if (query.limit !== undefined) return query.limit === 1 ? 'look' : 'list';
  return path.startsWith('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/') ? 'definition' : 'discovery';
}

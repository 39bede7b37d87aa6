// An API server that plays scenes in order, and fails the test where it is asked for something else.
import type { ApiRequest } from '../../lib/ports/api-server.ts';
import { type FakeAnswer, type FakeApiServer, fakeApiServer } from './fake-api-server.ts';

/** What is expected to be asked (see `asked`), and the answer; an Error is thrown instead, as a transport would. */
export type Scene = readonly [question: string, answer: FakeAnswer | Error | ((request: ApiRequest) => FakeAnswer)];

export interface ScriptedServer extends FakeApiServer {
  /** Scenes that were not played. */
  readonly left: () => number;
  /** What was asked so far. */
  readonly asked: () => string[];
}

/** After the last scene it answers nothing more: only an abort ends a request. */
export function scriptedServer(scenes: readonly Scene[]): ScriptedServer {
  let played = 0;
  const server = fakeApiServer((request) => {
    const scene = scenes[played];
    if (scene === undefined) {
      return new Promise((_, reject) =>
        request.signal?.addEventListener('abort', () => reject(request.signal?.reason as Error), { once: true }),
      );
    }
    const [question, answer] = scene;
    const got = asked(request);
    if (got !== question) throw new Error(`Scene ${played + 1}: "${question}" was expected, but asked was "${got}"`);
    played += 1;
    if (answer instanceof Error) throw answer;
    return typeof answer === 'function' ? answer(request) : answer;
  });
  return Object.assign(server, {
    left: () => scenes.length - played,
    asked: () => server.requests.map(asked),
  });
}

/** A request in words: `streaming list`, `watch from 321`, `first page`, `page TOKEN`, `look at NAME`, `look`; ` with fresh credentials`. */
export function asked({ query = {}, freshCredentials }: ApiRequest): string {
  const words = ((): string => {
    if (query.sendInitialEvents === true) return 'streaming list';
    if (query.watch === true) return `watch from ${query.resourceVersion}`;
    if (query.limit !== 1) return query.continue === undefined ? 'first page' : `page ${query.continue}`;
    const name = /metadata\.name=([^,]*)/.exec(String(query.fieldSelector ?? ''))?.[1];
    return name === undefined ? 'look' : `look at ${name}`;
  })();
  return freshCredentials === true ? `${words} with fresh credentials` : words;
}

// Runs a watch against a scripted server on a scripted clock, and tells in words what it handed out.
import type { ApiServer } from '../../lib/ports/api-server.ts';
import type { WatchContext, WatchControl, WatchOutput } from '../../lib/watch/watch-context.ts';
import { watchStream } from '../../lib/watch/watch-stream.ts';
import { createScriptedClock, type ScriptedClock, settle } from './scripted-clock.ts';
import { type Scene, type ScriptedServer, scriptedServer } from './scripted-server.ts';

export interface ScriptedWatch {
  readonly clock: ScriptedClock;
  readonly server: ScriptedServer;
  readonly stop: AbortController;
  /** Takes outputs until one is told in these words (or the watch ends); all that were taken, in words. */
  until(words: string): Promise<string[]>;
  /** Takes no more. */
  leave(): Promise<void>;
  /** The next output, undefined at the end. */
  next(): Promise<WatchOutput | undefined>;
}

export const widgets = '/apis/example.com/v1/widgets';

const noRecord: WatchContext['record'] = {
  lastStates: () => Promise.resolve([]),
  revision: () => Promise.resolve(undefined),
  holds: () => false,
  alters: () => true,
  newest: () => Promise.resolve([]),
};

const silentControl: WatchControl = {
  next: (signal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })),
};

/** Watches of 300 s, 15 s of grace, 30 s of silence; backoff and parking without chance. */
export const scriptedPolicy: WatchContext['policy'] = {
  timeoutSeconds: () => 300,
  graceMs: 15_000,
  silenceMs: 30_000,
  backoff: { baseMs: 1_000, maxMs: 30_000 },
  parkedMs: 60_000,
};

export function scriptedWatch(
  scenes: readonly Scene[] | ((clock: ScriptedClock) => readonly Scene[]),
  context: Partial<WatchContext> = {},
  behind: (api: ApiServer, clock: ScriptedClock) => ApiServer = (api) => api,
): ScriptedWatch {
  const clock = createScriptedClock();
  const server = scriptedServer(typeof scenes === 'function' ? scenes(clock) : scenes);
  const stop = new AbortController();
  const outputs = watchStream({
    api: behind(server, clock),
    collection: () => ({ path: widgets, selector: {} }),
    position: { epoch: 0 },
    record: noRecord,
    control: silentControl,
    policy: scriptedPolicy,
    clock,
    random: () => 0.5,
    signal: stop.signal,
    ...context,
  });
  async function next(): Promise<WatchOutput | undefined> {
    const result = await settle(outputs.next(), clock);
    return result.done === true ? undefined : result.value;
  }
  async function until(words: string): Promise<string[]> {
    const all: string[] = [];
    for (;;) {
      const output = await next();
      if (output === undefined) return [...all, 'the end'];
      all.push(tell(output));
      if (all.at(-1) === words) return all;
      if (all.length > 500) throw new Error(`"${words}" never came, but:\n${all.join('\n')}`);
    }
  }
  async function leave(): Promise<void> {
    await outputs.return();
  }
  return { clock, server, stop, until, next, leave };
}

/** An output in words. */
function tell(output: WatchOutput): string {
  switch (output.kind) {
    case 'state': {
      const { state } = output;
      if (state.kind === 'waiting') return `waiting (${state.why}): ${state.problem}`;
      return 'resourceVersion' in state ? `${state.kind} from ${state.resourceVersion}` : state.kind;
    }
    case 'sync':
      return `sync, ${output.reason}, epoch ${output.epoch}${output.ordered ? ', ordered' : ''}`;
    case 'listed':
      return `${output.again ? 'listed again' : 'listed'} ${output.objects.map(({ name, resourceVersion }) => `${name}@${resourceVersion}`).join(' ')}`;
    case 'page':
      return `page as of ${output.asOf}`;
    case 'synced':
      return `synced to ${output.resourceVersion} as of ${output.asOf}`;
    case 'events':
      return `events ${output.events.map(({ type, object }) => `${type} ${object.name}@${object.resourceVersion}`).join(', ')}`;
    case 'bookmark':
      return `bookmark ${output.resourceVersion}`;
    case 'present':
      return `present ${output.resourceVersion}, ${output.verdict}`;
    case 'lasted':
      return 'lasted';
    case 'turn':
      return output.waiting ? 'queued' : 'its turn';
  }
}

// A process as an operator keeps it: started again when it ends by itself, which is remembered.
import type { Exit, RunningProcess } from '../support/process.ts';

export interface Supervised extends AsyncDisposable {
  /** Starts it where it does not run. */
  start(): void;
  /** Ends it, default as SIGKILL does; it stays down until `start`. */
  kill(signal?: NodeJS.Signals): Promise<Exit | undefined>;
  freeze(): void;
  thaw(): void;
  /** 0 while it does not run. */
  readonly pid: number;
  /** What it did when nobody had told it to end; emptied by whoever has looked. */
  takeEnds(): readonly string[];
}

/** How long an operator leaves what has ended, milliseconds. */
const restartAfterMs = 1000;

/** `launch` is asked for a new process at each start. */
export function supervise(name: string, launch: () => RunningProcess): Supervised {
  let running: RunningProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let ends: string[] = [];

  function start(): void {
    clearTimeout(timer);
    if (running !== undefined) return;
    const current = launch();
    running = current;
    void current.exit.then(({ code, signal }) => {
      if (running !== current) return;
      running = undefined;
      ends.push(`${name} ended by itself with ${signal ?? code}: ${lastWords(current)}`);
      timer = setTimeout(start, restartAfterMs);
    });
  }

  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit | undefined> {
    clearTimeout(timer);
    const current = running;
    running = undefined;
    return await current?.kill(signal);
  }

  return {
    start,
    kill,
    freeze: () => running?.signal('SIGSTOP'),
    thaw: () => running?.signal('SIGCONT'),
    get pid() {
      return running?.pid ?? 0;
    },
    takeEnds() {
      const taken = ends;
      ends = [];
      return taken;
    },
    [Symbol.asyncDispose]: async () => void (await kill()),
  };
}

function lastWords(running: RunningProcess): string {
  return (running.stderr().trim() || running.stdout().trim()).slice(-500);
}

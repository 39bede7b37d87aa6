// What a command is given to work with: all of the process that it may touch.
import type { Config } from '../config/options.ts';
import type { Engine } from './engine.ts';
import type { Output } from './output.ts';

export interface Invocation {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly engine: Engine;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  readonly now: () => number;
}

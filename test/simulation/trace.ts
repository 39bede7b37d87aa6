// What happened in a run, in order: for the person who looks at a failure, and as a hash that shows that a seed repeats.
import { createHash } from 'node:crypto';

export interface Trace {
  /** Adds a line; `text` is asked only where somebody listens. */
  readonly say: (text: () => string) => void;
  readonly lines: readonly string[];
  /** Of all lines so far. */
  hash(): string;
}

/** Keeps every line. `now` is the simulated time. */
export function createTrace(now: () => number): Trace {
  const started = now();
  const lines: string[] = [];
  return {
    lines,
    say: (text) => void lines.push(`${((now() - started) / 1000).toFixed(3).padStart(9)}  ${text()}`),
    hash: () => createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16),
  };
}

/** Listens to nothing: most runs fail nowhere, and a run that failed is repeated with a trace. */
export const noTrace: Trace = { say: () => undefined, lines: [], hash: () => '' };

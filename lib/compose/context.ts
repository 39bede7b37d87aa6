// What a command hands to the composition.
import type { Report } from '../ports/reporter.ts';

export interface Context {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly report: Report;
}

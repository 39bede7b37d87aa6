// All targets, each loaded when it is asked for: in a thread of its own a target needs nothing of the others.
import type { FuzzTarget } from './target.ts';

const targets: Readonly<Record<string, () => Promise<FuzzTarget>>> = {
  'watch-body': async () => (await import('./targets/watch-body.ts')).watchBody,
};

/** In the order in which they run. */
export const targetNames: readonly string[] = Object.keys(targets);

/** Throws where there is none of this name. */
export async function targetNamed(name: string): Promise<FuzzTarget> {
  const load = targets[name];
  if (load === undefined) throw new Error(`There is no target "${name}"; there are: ${targetNames.join(', ')}`);
  return await load();
}

// The last answer of each project: what a project or a location that does not answer just now had named is not gone, so its
// clusters are watched on.
import type { Problem } from '../../model/cluster.ts';
import { messageOf } from '../../model/errors.ts';

/** What one project has, as its API says it. */
export interface Answer<T> {
  readonly items: readonly T[];
  /** Locations that did not answer; their items may exist. */
  readonly missing: readonly string[];
}

interface KeptAnswer<T> extends Answer<T> {
  readonly project: string;
  /** Why it is the last answer, or an empty one, instead of a new one. */
  readonly failure: string | undefined;
}

/** Never throws but the signal's reason. `items` have those of missing locations as they were. */
export function keepAnswers<T extends { readonly location: string }>(
  ask: (project: string, signal?: AbortSignal) => Promise<Answer<T>>,
): (project: string, signal?: AbortSignal) => Promise<KeptAnswer<T>> {
  const kept = new Map<string, readonly T[]>();
  return async (project, signal) => {
    const before = kept.get(project) ?? [];
    try {
      const { items, missing } = await ask(project, signal);
      const silent = new Set(missing.map(locationOf));
      const answered = new Set(items.map(({ location }) => location));
      const held = before.filter(({ location }) => silent.has(location) && !answered.has(location));
      kept.set(project, [...items, ...held]);
      return { project, items: [...items, ...held], missing, failure: undefined };
    } catch (error) {
      signal?.throwIfAborted();
      return { project, items: before, missing: [], failure: messageOf(error) };
    }
  };
}

/** `service` is who was asked, `items` what for: `GKE`, `clusters`. */
export function problemsOf(
  { source, service, items }: { readonly source: string; readonly service: string; readonly items: string },
  { project, missing, failure }: KeptAnswer<unknown>,
): Problem[] {
  if (failure !== undefined) return [{ source, message: failure }];
  const message = `${service} did not hear from ${missing.join(', ')} of project ${project}: ${items} there may be missing from the list`;
  return missing.length === 0 ? [] : [{ source, message }];
}

/** GKE gives `us-central1-a`, Hub also `projects/P/locations/L`. */
function locationOf(place: string): string {
  return place.slice(place.lastIndexOf('/') + 1);
}

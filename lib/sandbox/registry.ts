// Which resources the server serves at this moment.
import { type Resource, resourceId, type ServedVersion } from './resource.ts';

export interface Served {
  readonly resource: Resource;
  readonly version: ServedVersion;
}

export class Registry {
  /** Changes whenever what is served changes: discovery documents are cached by it. */
  generation = 0;
  readonly #resources = new Map<string, Resource>();

  set(resource: Resource): void {
    this.#resources.set(resourceId(resource), resource);
    this.generation++;
  }

  delete(id: string): void {
    if (this.#resources.delete(id)) this.generation++;
  }

  get(id: string): Resource | undefined {
    return this.#resources.get(id);
  }

  /** In a served version only. */
  find(group: string, version: string, plural: string): Served | undefined {
    const resource = this.#resources.get(`${group}/${plural}`);
    const found = resource?.versions.find(({ name, served }) => served && name === version);
    return resource === undefined || found === undefined ? undefined : { resource, version: found };
  }

  all(): readonly Resource[] {
    return [...this.#resources.values()];
  }

  /** Served versions of each group, the preferred one first. The core group ('') is not among them. */
  groups(): Map<string, string[]> {
    const groups = new Map<string, Set<string>>();
    for (const { group, versions } of this.#resources.values()) {
      if (group === '') continue;
      const names = groups.get(group) ?? new Set();
      for (const { name, served } of versions) if (served) names.add(name);
      groups.set(group, names);
    }
    return new Map([...groups].map(([group, names]) => [group, [...names].sort(byPriority)]));
  }
}

/** v2 before v1 before v1beta1 before v1alpha1; other names last. (Version priority of custom resource definitions.) */
export function byPriority(a: string, b: string): number {
  return rank(b) - rank(a) || (a < b ? -1 : 1);
}

function rank(version: string): number {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return -1;
  const stability = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0;
  return stability * 1e6 + Number(match[1]) * 1e3 + Number(match[3] ?? 0);
}

// From the name of a resource to its path: which version to use, and whether it lives in namespaces. Asked of the
// server once for each group and remembered.
import { singleFlight } from '../../async/single-flight.ts';
import { Mk8sError } from '../../model/errors.ts';
import { formatGroupResource, type GroupResource, parseGroupResource } from '../../model/resource.ts';
import type { DiscoveredResource } from './discovery.ts';
import { type Group, parseGroup, resourcesOf } from './discovery-legacy.ts';
import { sendJson, type Target } from './rest.ts';

/**
 * Names a resource: `httproutes.gateway.networking.k8s.io`, with a version `httproutes.v1.gateway.networking.k8s.io`,
 * core ones `configmaps` or `configmaps.v1`; or its parts. Where the parts have `version` and `namespaced`, the server
 * is not asked about it.
 */
export type ResourceName =
  | string
  | (GroupResource & { readonly version?: string; readonly kind?: string; readonly namespaced?: boolean });

/** A resource in the version that is used for it. */
export interface ServedResource extends GroupResource {
  readonly version: string;
  readonly namespaced: boolean;
}

/** Kubernetes' own form of a version (apimachinery, version.ParseMajorVersion…): `v1`, `v2beta3`. */
const versionPattern = /^v[1-9][0-9]*((alpha|beta)[1-9][0-9]*)?$/;

/** Takes a resource's name apart. */
export function parseResourceName(name: ResourceName): Exclude<ResourceName, string> {
  if (typeof name !== 'string') return name;
  const { plural, group } = parseGroupResource(name);
  const [first = '', ...rest] = group.split('.');
  return versionPattern.test(first) ? { plural, version: first, group: rest.join('.') } : { plural, group };
}

interface Wanted {
  readonly group: string;
  /** Absent: whichever the server prefers. */
  readonly version: string | undefined;
  readonly matches: (resource: DiscoveredResource) => boolean;
  /** For messages. */
  readonly what: string;
}

/** Answers from the server's discovery documents of single groups, which are small, and keeps them. */
export class ResourceCatalog {
  readonly #target: Target;
  readonly #groups = new Remembered<Group>();
  readonly #resources = new Remembered<readonly DiscoveredResource[]>();

  constructor(target: Target) {
    this.#target = target;
  }

  /**
   * Finds the version to use: the named one, else the group's preferred one that has the resource.
   * Throws Mk8sError `http` (404, reason `NotFound`) where the server has no such resource.
   */
  async resolve(name: ResourceName, attempt: string, signal?: AbortSignal): Promise<ServedResource> {
    const wanted = parseResourceName(name);
    const { group, plural, version, namespaced } = wanted;
    if (version !== undefined && namespaced !== undefined) return { group, plural, version, namespaced };
    const what = formatGroupResource(wanted);
    return this.#find({ group, version, what, matches: (resource) => resource.plural === plural }, attempt, signal);
  }

  /** Finds the resource of an object's apiVersion and kind. */
  async resolveKind(apiVersion: string, kind: string, attempt: string, signal?: AbortSignal): Promise<ServedResource> {
    const slash = apiVersion.indexOf('/');
    const group = slash < 0 ? '' : apiVersion.slice(0, slash);
    const version = apiVersion.slice(slash + 1);
    const what = `of kind ${kind}`;
    return this.#find({ group, version, what, matches: (resource) => resource.kind === kind }, attempt, signal);
  }

  /** Forgets a group, after an answer that the version or resource is not there (any more). */
  forget(group: string): void {
    this.#groups.forget(group);
    this.#resources.forget(group);
  }

  async #find(wanted: Wanted, attempt: string, signal: AbortSignal | undefined): Promise<ServedResource> {
    const { group, version, what } = wanted;
    const remembered = this.#resources.has(`${group}/${version ?? ''}`) || this.#groups.has(group);
    let found = await this.#lookUp(wanted, attempt, signal);
    if (found === undefined && remembered) {
      // It may have been installed since: ask anew before saying no.
      this.forget(group);
      found = await this.#lookUp(wanted, attempt, signal);
    }
    if (found !== undefined) return found;
    const inVersion = version === undefined ? '' : ` in version ${version}`;
    throw new Mk8sError(
      `Cannot ${attempt} in cluster "${this.#target.name}": the server has no resource ${what}${inVersion}; is its CustomResourceDefinition installed?`,
      { code: 'http', status: 404, reason: 'NotFound' },
    );
  }

  async #lookUp(
    { group, version, matches }: Wanted,
    attempt: string,
    signal: AbortSignal | undefined,
  ): Promise<ServedResource | undefined> {
    try {
      const versions = version === undefined ? (await this.#group(group, attempt, signal)).versions : [version];
      for (const candidate of versions) {
        const resources = await this.#resources.get(`${group}/${candidate}`, signal, (shared) =>
          resourcesOf(this.#target, group, candidate, shared),
        );
        const resource = resources.find(matches);
        if (resource !== undefined) return resource;
      }
      return undefined;
    } catch (error) {
      if (error instanceof Mk8sError && error.status === 404) return undefined;
      throw error;
    }
  }

  #group(name: string, attempt: string, signal: AbortSignal | undefined): Promise<Group> {
    if (name === '') return Promise.resolve({ name: '', versions: ['v1'] });
    return this.#groups.get(name, signal, async (shared) => {
      const request = { path: `/apis/${name}`, headers: { accept: 'application/json' }, signal: shared };
      return parseGroup(await sendJson(this.#target, request, attempt));
    });
  }
}

/** Values by key. Concurrent callers share one load; one caller's abort ends only its own waiting; failures are not kept. */
class Remembered<T> {
  readonly #values = new Map<string, T>();
  readonly #loads = new Map<string, (signal?: AbortSignal) => Promise<T>>();

  async get(key: string, signal: AbortSignal | undefined, load: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const join = this.#loads.get(key) ?? singleFlight(load);
    this.#loads.set(key, join);
    try {
      const value = await join(signal);
      this.#values.set(key, value);
      return value;
    } finally {
      if (this.#loads.get(key) === join && this.#values.has(key)) this.#loads.delete(key);
    }
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** Forgets what belongs to a group: `GROUP` and `GROUP/VERSION`. */
  forget(group: string): void {
    for (const key of this.#values.keys()) {
      if (key === group || key.startsWith(`${group}/`)) this.#values.delete(key);
    }
  }
}

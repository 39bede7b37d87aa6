// The older form of discovery: APIVersions and APIGroupList, then one APIResourceList for each group version.
import { createSemaphore } from '../../async/semaphore.ts';
import { Mk8sError } from '../../model/errors.ts';
import { isRecord } from './client-object.ts';
import type { DiscoveredPart, DiscoveredResource, FailedGroupVersion } from './discovery.ts';
import { sendJson, type Target } from './rest.ts';

/** A group with its versions, the preferred one first. */
export interface Group {
  readonly name: string;
  readonly versions: readonly string[];
}

/** Requests at a time: enough to hide latency, few enough for the server's fairness limits. */
const concurrency = 8;

/** `apps/v1`; for the core group just the version. */
export function joinGroupVersion(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

/** Parses `/api` (APIVersions) or `/apis` (APIGroupList). */
export function legacyGroups(body: unknown): readonly Group[] {
  if (isRecord(body) && body['kind'] === 'APIVersions') return [{ name: '', versions: strings(body['versions']) }];
  if (isRecord(body) && Array.isArray(body['groups']))
    return body['groups'].map(parseGroup).filter((group) => group.versions.length > 0);
  throw new Mk8sError(
    'Cannot discover resources: the server answered neither an APIGroupList nor an APIGroupDiscoveryList; is it a Kubernetes API server?',
    {
      code: 'protocol',
    },
  );
}

/** Parses one APIGroup, with its preferred version first. */
export function parseGroup(value: unknown): Group {
  if (!isRecord(value)) return { name: '', versions: [] };
  const preferred = isRecord(value['preferredVersion']) ? value['preferredVersion']['version'] : undefined;
  const versions = (Array.isArray(value['versions']) ? value['versions'] : []).flatMap((entry) =>
    isRecord(entry) && typeof entry['version'] === 'string' ? [entry['version']] : [],
  );
  return {
    name: typeof value['name'] === 'string' ? value['name'] : '',
    versions:
      typeof preferred === 'string' ? [preferred, ...versions.filter((version) => version !== preferred)] : versions,
  };
}

/** Reads the resources of all versions of these groups, in the order of the groups and of preference. */
export async function legacyResources(
  target: Target,
  groups: readonly Group[],
  signal: AbortSignal | undefined,
): Promise<DiscoveredPart> {
  const places = createSemaphore(concurrency);
  async function one(group: string, version: string): Promise<readonly DiscoveredResource[] | FailedGroupVersion> {
    const leave = await places.acquire(signal ?? new AbortController().signal);
    try {
      return await resourcesOf(target, group, version, signal);
    } catch (error) {
      if (!(error instanceof Mk8sError)) throw error;
      return { groupVersion: joinGroupVersion(group, version), message: error.message };
    } finally {
      leave();
    }
  }
  const answers = await Promise.all(
    groups.flatMap(({ name, versions }) => versions.map((version) => one(name, version))),
  );
  return {
    resources: answers.flatMap((answer) => ('groupVersion' in answer ? [] : answer)),
    failed: answers.flatMap((answer) => ('groupVersion' in answer ? [answer] : [])),
  };
}

/** Reads the resources of one group version, without subresources. */
export async function resourcesOf(
  target: Target,
  group: string,
  version: string,
  signal: AbortSignal | undefined,
): Promise<readonly DiscoveredResource[]> {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const attempt = `discover the resources of ${joinGroupVersion(group, version)}`;
  const request = { path, headers: { accept: 'application/json' }, ...(signal === undefined ? {} : { signal }) };
  const body = await sendJson(target, request, attempt);
  if (!isRecord(body) || !Array.isArray(body['resources'])) {
    throw new Mk8sError(`Cannot ${attempt} in cluster "${target.name}": ${path} did not answer an APIResourceList`, {
      code: 'protocol',
    });
  }
  return body['resources'].filter(isRecord).flatMap((entry) => {
    const { name, kind } = entry;
    if (typeof name !== 'string' || typeof kind !== 'string' || kind === '' || name.includes('/')) return [];
    return [
      { group, version, plural: name, kind, namespaced: entry['namespaced'] === true, verbs: strings(entry['verbs']) },
    ];
  });
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

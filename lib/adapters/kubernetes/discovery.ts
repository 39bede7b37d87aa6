// Which resources a cluster serves, each in its preferred version: the aggregated form of discovery (two requests,
// Kubernetes 1.27 and later), else the older form (one request for each group version).
//
// What could not be read is named in `failed`. A resource of a failed group version is unknown, not removed.
import { Mk8sError } from '../../model/errors.ts';
import { formatGroupResource, type ResourceInfo } from '../../model/resource.ts';
import type { ApiServer } from '../../ports/api-server.ts';
import { parseAggregated } from './discovery-aggregated.ts';
import { customGroupResources, isCustomByGroup } from './discovery-custom.ts';
import { joinGroupVersion, legacyGroups, legacyResources } from './discovery-legacy.ts';
import { exchange, httpError, readJson, type Target } from './rest.ts';

export interface DiscoverOptions {
  readonly signal?: AbortSignal;
  /** The cluster's name for messages; the server's URL where absent. */
  readonly name?: string;
  /** `etag` of an earlier answer: where nothing changed since, `notModified` is answered at the cost of one request. */
  readonly etag?: string;
}

export interface Discovery {
  /** Without subresources; one entry for each group and plural. Empty where `notModified`. */
  readonly resources: readonly ResourceInfo[];
  /** Group versions (`metrics.k8s.io/v1beta1`) that the server knows but could not describe, and why. */
  readonly failed: readonly FailedGroupVersion[];
  /** For the next call. Absent where the server has no aggregated discovery, or where something failed or may change. */
  readonly etag?: string;
  /** True where the server said that nothing changed since `etag`. */
  readonly notModified?: true;
}

export interface FailedGroupVersion {
  readonly groupVersion: string;
  readonly message: string;
}

/** A resource before it is known whether a CRD defines it. */
export type DiscoveredResource = Omit<ResourceInfo, 'custom'>;

/** What one half of discovery (`/api` or `/apis`) found. */
export interface DiscoveredPart {
  readonly resources: readonly DiscoveredResource[];
  readonly failed: readonly FailedGroupVersion[];
}

/**
 * v2 since Kubernetes 1.30, v2beta1 since 1.26; a server that knows neither answers the older form, so the answer's
 * `kind` decides, not the request.
 */
const accept = [
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
  'application/json',
].join(',');

/**
 * Discovers the resources of a cluster. `custom` says whether a CustomResourceDefinition defines the resource, by
 * the list of CRDs; where that may not be listed, by the group's name (every group that is not Kubernetes' own).
 * Throws Mk8sError where `/apis` cannot be read at all.
 */
export async function discoverResources(api: ApiServer, options: DiscoverOptions = {}): Promise<Discovery> {
  const { signal, etag } = options;
  const target: Target = { api, name: options.name ?? api.server };
  const apis = await readHalf(target, '/apis', signal, etag);
  if (apis === 'not modified') {
    return { resources: [], failed: [], notModified: true, ...(etag === undefined ? {} : { etag }) };
  }
  const core = await readHalf(target, '/api', signal).catch((error: unknown) => coreFailed(error));
  if (core === 'not modified') throw new Error('unreachable: /api is asked without an etag');
  const isCustom = await customGroupResources(target, signal);
  const all = [...core.resources, ...apis.resources];
  const resources = all.filter(isNamed).map((resource) => ({ ...resource, custom: isCustom(resource) }));
  const unnamed = all
    .filter((resource) => !isNamed(resource))
    .map(({ group, version }) => joinGroupVersion(group, version));
  const failed = [
    ...core.failed,
    ...apis.failed,
    ...[...new Set(unnamed)].map((groupVersion) => ({ groupVersion, message: UNNAMED })),
  ];
  // The etag knows nothing of the CRDs' names. Where a group that looks like CRDs' has none, they may just be made anew (or
  // an aggregated API serves it): then all is read again next time.
  const settled = failed.length === 0 && resources.every((resource) => resource.custom || !isCustomByGroup(resource));
  return {
    resources: uniqueResources(resources),
    failed,
    ...(apis.etag !== undefined && settled ? { etag: apis.etag } : {}),
  };
}

async function readHalf(
  target: Target,
  path: '/api' | '/apis',
  signal: AbortSignal | undefined,
  etag?: string,
): Promise<(DiscoveredPart & { readonly etag?: string }) | 'not modified'> {
  const attempt = `discover resources (${path})`;
  const request = { path, ...(signal === undefined ? {} : { signal }) };
  const conditional = etag === undefined ? {} : { 'if-none-match': etag };
  const response = await exchange(target, { ...request, headers: { accept, ...conditional } }, attempt);
  if (response.status === 406) {
    const plain = await exchange(target, { ...request, headers: { accept: 'application/json' } }, attempt);
    if (plain.status >= 400) throw await httpError(target, plain, attempt, signal);
    return legacyResources(target, legacyGroups(await readJson(target, plain, attempt, signal)), signal);
  }
  if (response.status >= 400) throw await httpError(target, response, attempt, signal);
  if (response.status === 304) {
    for await (const _ of response.body) break;
    return 'not modified';
  }
  const body = await readJson(target, response, attempt, signal);
  const aggregated = parseAggregated(body);
  if (aggregated === undefined) return legacyResources(target, legacyGroups(body), signal);
  const tag = response.headers['etag'];
  return { ...aggregated, ...(tag === undefined ? {} : { etag: tag }) };
}

const UNNAMED = 'a resource in it has a group, version or plural that is no name in Kubernetes';

/** Names become parts of URLs and of keys. What Kubernetes takes for a name (RFC 1123 labels and subdomains) is harmless there. */
function isNamed({ group, version, plural }: DiscoveredResource): boolean {
  const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/i;
  return (
    label.test(version) && label.test(plural) && (group === '' || group.split('.').every((part) => label.test(part)))
  );
}

/** Without `/api` there still are custom resources to watch. */
function coreFailed(error: unknown): DiscoveredPart {
  if (!(error instanceof Mk8sError)) throw error;
  return { resources: [], failed: [{ groupVersion: 'v1', message: error.message }] };
}

/** Keeps the first of each group and plural: versions come in the server's order of preference. */
function uniqueResources<R extends DiscoveredResource>(resources: readonly R[]): readonly R[] {
  const seen = new Map<string, R>();
  for (const resource of resources) {
    const key = formatGroupResource(resource);
    if (!seen.has(key)) seen.set(key, resource);
  }
  return [...seen.values()];
}

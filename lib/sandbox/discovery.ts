// What is served, as discovery documents: aggregated (one request for all) and the older form (one a group version).
import { createHash } from 'node:crypto';
import type { Json, JsonObject } from './json.ts';
import { byPriority, type Registry } from './registry.ts';
import { groupVersion, type Resource, type ServedVersion } from './resource.ts';
import { reviews } from './reviews.ts';

/** The media type of aggregated discovery, as it is asked for and answered. */
export const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

const builtinVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const customVerbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const reviewGroups = [...new Set(Object.values(reviews).map(({ group }) => group))];

/** `/api` (group '') or `/apis` (every other group) in the aggregated form. */
export function aggregated(registry: Registry, core: boolean): JsonObject {
  const groups: [string, string[]][] = core ? [['', ['v1']]] : allGroups(registry);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(([group, versions]) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versions.map((version) => ({
        version,
        resources: aggregatedResources(registry, group, version),
        freshness: 'Current',
      })),
    })),
  };
}

/** `/apis` in the older form. */
export function groupList(registry: Registry): JsonObject {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: allGroups(registry).map(([group, versions]) => groupBody(group, versions)),
  };
}

/** `/apis/GROUP`; undefined where there is none. */
export function group(registry: Registry, name: string): JsonObject | undefined {
  const versions = allGroups(registry).find(([group]) => group === name)?.[1];
  return versions === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...groupBody(name, versions) };
}

/** `/apis/GROUP/VERSION` or `/api/v1`; undefined where nothing is served there. */
export function resourceList(registry: Registry, groupName: string, version: string): JsonObject | undefined {
  const resources = [
    ...servedIn(registry, groupName, version).flatMap(([resource, served]) => legacyResources(resource, served)),
    ...reviewsIn(groupName, version).map(([plural, { kind }]) => ({
      name: plural,
      singularName: kind.toLowerCase(),
      namespaced: false,
      kind,
      verbs: ['create'],
    })),
  ];
  if (resources.length === 0) return undefined;
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: groupVersion(groupName, version), resources };
}

function allGroups(registry: Registry): [string, string[]][] {
  const served = [...registry.groups()].filter(([, versions]) => versions.length > 0);
  return [...reviewGroups.map((name): [string, string[]] => [name, ['v1']]), ...served];
}

function groupBody(name: string, versions: readonly string[]): JsonObject {
  const list = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: list, preferredVersion: list[0] ?? null };
}

function servedIn(registry: Registry, groupName: string, version: string): [Resource, ServedVersion][] {
  return registry.all().flatMap((resource) => {
    const served = resource.group === groupName ? registry.find(groupName, version, resource.plural) : undefined;
    return served === undefined ? [] : [[served.resource, served.version] as [Resource, ServedVersion]];
  });
}

function reviewsIn(groupName: string, version: string): [string, { group: string; kind: string }][] {
  return version === 'v1' ? Object.entries(reviews).filter(([, { group }]) => group === groupName) : [];
}

function aggregatedResources(registry: Registry, groupName: string, version: string): Json[] {
  const own = servedIn(registry, groupName, version).map(([resource, served]): JsonObject => {
    const responseKind = { group: groupName, version: groupName === '' ? '' : version, kind: resource.kind };
    const subresources = subresourcesOf(resource, served).map(({ name, kind, verbs }) => ({
      subresource: name,
      responseKind: { ...responseKind, ...kind },
      verbs,
    }));
    return {
      resource: resource.plural,
      responseKind,
      scope: resource.namespaced ? 'Namespaced' : 'Cluster',
      singularResource: resource.singular,
      verbs: verbsOf(resource).sort(),
      ...(resource.shortNames.length === 0 ? {} : { shortNames: [...resource.shortNames] }),
      ...(resource.categories.length === 0 ? {} : { categories: [...resource.categories] }),
      ...(subresources.length === 0 ? {} : { subresources }),
    };
  });
  const questions = reviewsIn(groupName, version).map(([plural, { kind }]) => ({
    resource: plural,
    responseKind: { group: groupName, version, kind },
    scope: 'Cluster',
    singularResource: kind.toLowerCase(),
    verbs: ['create'],
  }));
  return [...own, ...questions];
}

function legacyResources(resource: Resource, served: ServedVersion): JsonObject[] {
  const main: JsonObject = {
    name: resource.plural,
    singularName: resource.singular,
    namespaced: resource.namespaced,
    kind: resource.kind,
    verbs: verbsOf(resource),
    ...(resource.shortNames.length === 0 ? {} : { shortNames: [...resource.shortNames] }),
    ...(resource.categories.length === 0 ? {} : { categories: [...resource.categories] }),
    storageVersionHash: storageHash(resource),
  };
  const subresources = subresourcesOf(resource, served).map(({ name, kind, verbs }) => ({
    name: `${resource.plural}/${name}`,
    singularName: '',
    namespaced: resource.namespaced,
    ...kind,
    ...(kind === undefined ? { kind: resource.kind } : {}),
    verbs,
  }));
  return [main, ...subresources];
}

interface Subresource {
  readonly name: string;
  /** Where it differs from the resource's. */
  readonly kind: { group: string; version: string; kind: string } | undefined;
  readonly verbs: string[];
}

function subresourcesOf(resource: Resource, { statusSubresource }: ServedVersion): Subresource[] {
  if (resource.plural === 'serviceaccounts' && resource.group === '') {
    const kind = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' };
    return [{ name: 'token', kind, verbs: ['create'] }];
  }
  return statusSubresource ? [{ name: 'status', kind: undefined, verbs: ['get', 'patch', 'update'] }] : [];
}

function verbsOf({ custom, plural }: Resource): string[] {
  const verbs = custom ? customVerbs : builtinVerbs;
  return verbs.filter((verb) => plural !== 'namespaces' || verb !== 'deletecollection');
}

function storageHash({ group, kind, versions }: Resource): string {
  const storage =
    [...versions].sort((a, b) => byPriority(a.name, b.name)).find((version) => version.storage)?.name ?? '';
  return createHash('sha256').update(`${group}/${storage}/${kind}`).digest().subarray(0, 8).toString('base64');
}

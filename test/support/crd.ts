// Custom resource definitions for tests: made, waited for, removed.
import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterClient, KubernetesObject } from './cluster-client.ts';

export interface TestResource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** `/apis/GROUP/VERSION/PLURAL`. */
export function resourcePath({ group, version, plural }: TestResource): string {
  return `/apis/${group}/${version}/${plural}`;
}

export function objectPath(resource: TestResource, namespace: string, name?: string): string {
  const scope = resource.namespaced ? `/namespaces/${namespace}` : '';
  const object = name === undefined ? '' : `/${name}`;
  return `/apis/${resource.group}/${resource.version}${scope}/${resource.plural}${object}`;
}

/** Creates the definition (whatever fields objects have is kept) and resolves when its collection can be listed. */
export async function createCrd(client: ClusterClient, resource: TestResource): Promise<void> {
  const { group, version, plural, kind, namespaced } = resource;
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  await client.call('POST', definitions, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: anything } }],
    },
  });
  await served(client, resource);
}

/** Resolves when the resource's collection can be listed: a server that has just started does not serve it yet. */
export async function served(client: ClusterClient, resource: TestResource): Promise<void> {
  await until(async () => (await client.request('GET', resourcePath(resource))).status === 200);
}

/** Creates the object, or replaces its spec. */
export async function putObject(
  client: ClusterClient,
  resource: TestResource,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  spec: unknown,
): Promise<KubernetesObject> {
  const path = objectPath(resource, namespace, name);
  const { kind, metadata } = await client.call('GET', path, undefined, [404]);
  const exists = kind === resource.kind;
  return await client.call(exists ? 'PUT' : 'POST', exists ? path : objectPath(resource, namespace), {
    apiVersion: `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: exists ? metadata : { name },
    spec,
  });
}

/** Deletes the definition and, with it, its objects; resolves when both are gone. */
export async function deleteCrd(client: ClusterClient, resource: TestResource): Promise<void> {
  const definition = `${definitions}/${resource.plural}.${resource.group}`;
  await client.call('DELETE', definition);
  await until(async () => (await client.request('GET', definition)).status === 404);
  await until(async () => (await client.request('GET', resourcePath(resource))).status === 404);
}

/** Creates namespaces that are not there yet. */
export async function createNamespaces(client: ClusterClient, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await client.call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, [409]);
  }
}

/** An API server has no event for "is served now": it has to be asked. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(25);
}

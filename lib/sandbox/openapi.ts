// /openapi/v3: as much as `kubectl apply` reads before it trusts the server to validate: that PATCH takes
// fieldValidation; and the schemas of custom resources, for `kubectl explain`.
import { createHash } from 'node:crypto';
import type { Json, JsonObject } from './json.ts';
import type { Registry } from './registry.ts';
import { groupVersion, type Resource, type ServedVersion } from './resource.ts';

/** The index: one document a group version, with a hash that changes with its content. */
export function openapiIndex(registry: Registry): JsonObject {
  const paths: JsonObject = {};
  for (const path of groupVersionPaths(registry)) {
    const hash = createHash('sha512').update(`${path} ${registry.generation}`).digest('hex').toUpperCase();
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
  }
  return { paths };
}

/** The document of `apis/GROUP/VERSION` or `api/v1`; undefined where nothing is served there. */
export function openapiDocument(registry: Registry, path: string): JsonObject | undefined {
  const [root, ...rest] = path.split('/');
  const [group = '', version = ''] = root === 'api' ? ['', rest[0]] : rest;
  const served = registry.all().flatMap((resource): [Resource, ServedVersion][] => {
    const found = resource.group === group ? registry.find(group, version, resource.plural) : undefined;
    return found === undefined ? [] : [[resource, found.version]];
  });
  if (served.length === 0) return undefined;
  const paths: JsonObject = {};
  const schemas: JsonObject = {};
  for (const [resource, { schema }] of served) {
    const gvk = { group, version, kind: resource.kind };
    const scope = resource.namespaced ? '/namespaces/{namespace}' : '';
    const collection = `/${path}${scope}/${resource.plural}`;
    paths[collection] = { get: operation('list', gvk), post: operation('post', gvk) };
    paths[`${collection}/{name}`] = {
      get: operation('get', gvk),
      put: operation('put', gvk),
      patch: operation('patch', gvk),
      delete: operation('delete', gvk),
    };
    const name = `${group.split('.').reverse().join('.') || 'io.k8s.api.core'}.${version}.${resource.kind}`;
    const known = schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    schemas[name] = { ...known, 'x-kubernetes-group-version-kind': [gvk] };
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: groupVersion('', 'v1.36.2') },
    paths,
    components: { schemas },
  };
}

function operation(action: string, gvk: JsonObject): JsonObject {
  const writes = action === 'post' || action === 'put' || action === 'patch';
  const names = writes ? ['dryRun', 'fieldManager', 'fieldValidation', ...(action === 'patch' ? ['force'] : [])] : [];
  const parameters: Json[] = names.map((name) => {
    return { name, in: 'query', schema: { type: name === 'force' ? 'boolean' : 'string', uniqueItems: true } };
  });
  return {
    parameters,
    responses: { '200': { description: 'OK' } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
  };
}

function groupVersionPaths(registry: Registry): string[] {
  const groups = [...registry.groups()].flatMap(([group, versions]) =>
    versions.map((version) => `apis/${group}/${version}`),
  );
  return ['api/v1', ...groups];
}

// What the server itself adds to new objects of built-in kinds.
import { asObject, asString, type Json, type JsonObject } from './json.ts';
import type { KubeObject } from './object.ts';

/** Fills in, in place, what the API server defaults for this kind at creation. */
export function completeNew(object: KubeObject): void {
  switch (object.kind) {
    case 'Namespace': {
      const { metadata } = object;
      metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
      object['spec'] = { finalizers: ['kubernetes'] };
      object['status'] = { phase: 'Active' };
      break;
    }
    case 'Secret':
      completeSecret(object);
      break;
    case 'CustomResourceDefinition':
      completeDefinition(object);
      object['status'] = {
        conditions: null,
        acceptedNames: { plural: '', kind: '' },
        storedVersions: storageVersions(object),
      };
      break;
    default:
  }
}

/** Fills in, in place, what the API server defaults for this kind at every write. */
export function completeChanged(object: KubeObject): void {
  if (object.kind === 'Secret') completeSecret(object);
  if (object.kind === 'CustomResourceDefinition') completeDefinition(object);
}

/** Kinds whose generation counts changes of spec. */
export function hasGeneration(kind: string, custom: boolean): boolean {
  return custom || kind === 'CustomResourceDefinition' || kind === 'Deployment';
}

function completeSecret(object: KubeObject): void {
  const plain = asObject(object['stringData']);
  const data: JsonObject = { ...asObject(object['data']) };
  for (const [name, value] of Object.entries(plain)) data[name] = Buffer.from(asString(value)).toString('base64');
  delete object['stringData'];
  if (Object.keys(data).length > 0) object['data'] = data;
  if (asString(object['type']) === '') object['type'] = 'Opaque';
}

function completeDefinition(object: KubeObject): void {
  const spec = asObject(object['spec']);
  const names = { ...asObject(spec['names']) };
  const kind = asString(names['kind']);
  if (asString(names['singular']) === '') names['singular'] = kind.toLowerCase();
  if (asString(names['listKind']) === '') names['listKind'] = `${kind}List`;
  object['spec'] = { ...spec, names, conversion: spec['conversion'] ?? { strategy: 'None' } };
}

function storageVersions(object: KubeObject): Json[] {
  const versions = asObject(object['spec'])['versions'];
  if (!Array.isArray(versions)) return [];
  return versions.map(asObject).flatMap((version) => (version['storage'] === true ? [version['name'] ?? ''] : []));
}

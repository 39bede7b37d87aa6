// What every new state of an object passes through: is it of this kind, in this namespace, named, known to the schema,
// valid. Shared by create, update, patch and apply.
import { namespaces } from './builtin.ts';
import type { Cluster } from './cluster.ts';
import { asObject, asString, isObject, type Json, type JsonObject } from './json.ts';
import { type KubeObject, parseVersion } from './object.ts';
import { groupVersion } from './resource.ts';
import { violations } from './schema.ts';
import { badRequest, type Cause, forbidden, invalid, notFound } from './status.ts';
import { applyDefaults, prune } from './structure.ts';
import type { Target, WriteOptions } from './write-options.ts';

/** The body as an object of the target's kind. Throws 400 and 422 as the server words them. */
export function admitBody(target: Target, body: Json): KubeObject {
  const { resource, version, namespace, name } = target;
  const object = isObject(body) ? body : {};
  const expected = groupVersion(resource.group, version.name);
  if (asString(object['kind']) === '') {
    const text = JSON.stringify(body).slice(0, 30);
    throw badRequest(
      `the object provided is unrecognized (must be of type ${resource.kind}): Object 'Kind' is missing in '${text}' (${text})`,
    );
  }
  if (object['apiVersion'] !== expected) {
    throw badRequest(
      `the API version in the data (${asString(object['apiVersion'])}) does not match the expected API version (${expected})`,
    );
  }
  const metadata = { ...asObject(object['metadata']) };
  if (object['kind'] !== resource.kind) {
    const kind = asString(object['kind']);
    throw invalid(resource.group, kind, asString(metadata['name']), [
      {
        reason: 'FieldValueInvalid',
        message: `Invalid value: ${JSON.stringify(kind)}: must be ${resource.kind}`,
        field: 'kind',
      },
    ]);
  }
  const own = asString(metadata['namespace']);
  if (own !== '' && own !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (namespace !== '') metadata['namespace'] = namespace;
  else delete metadata['namespace'];
  if (name !== '') {
    const given = asString(metadata['name']);
    if (given !== '' && given !== name) {
      throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
    }
    metadata['name'] = name;
  }
  return { ...object, apiVersion: expected, kind: resource.kind, metadata } as KubeObject;
}

/** Throws where nothing may be created in the namespace (404, 403) or of the resource (403). */
export function admitCreate(cluster: Cluster, { resource, namespace }: Target, name: string): void {
  if (resource.terminating) {
    throw forbidden(resource, name, 'create not allowed while custom resource definition is terminating');
  }
  if (namespace === '') return;
  const found = cluster.collection(namespaces).get(namespace);
  if (found === undefined) throw notFound(namespaces, namespace);
  if (parseVersion(found).metadata.deletionTimestamp !== undefined) {
    throw forbidden(
      resource,
      name,
      `unable to create new content in namespace ${namespace} because it is being terminated`,
      [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    );
  }
}

/** Prunes unknown fields and fills in defaults, in place. Returns warnings; throws 400 under Strict. */
export function admitFields(
  target: Target,
  object: KubeObject,
  fieldValidation: WriteOptions['fieldValidation'],
): string[] {
  const { schema, name } = target.version;
  if (schema === undefined) return [];
  const unknown = prune(object, schema).map((path) => `unknown field "${path}"`);
  if (unknown.length > 0 && fieldValidation === 'Strict') {
    const { kind } = target.resource;
    throw badRequest(
      `${kind} in version "${name}" cannot be handled as a ${kind}: strict decoding error: ${unknown.join(', ')}`,
    );
  }
  return fieldValidation === 'Warn' ? unknown : [];
}

export function fillDefaults({ version }: Target, object: KubeObject): void {
  if (version.schema !== undefined) applyDefaults(object, version.schema);
}

/** Throws 422 with every violation of names and schema. */
export function admitValid({ resource, version }: Target, object: KubeObject): void {
  const causes: Cause[] = [...nameViolations(object.metadata.name), ...definitionViolations(resource.plural, object)];
  if (version.schema !== undefined) causes.push(...violations(object, version.schema));
  if (causes.length > 0) throw invalid(resource.group, resource.kind, object.metadata.name, causes);
}

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function nameViolations(name: string): Cause[] {
  if (name.length > 253) {
    return [
      {
        reason: 'FieldValueInvalid',
        message: `Invalid value: ${JSON.stringify(name)}: must be no more than 253 bytes`,
        field: 'metadata.name',
      },
    ];
  }
  if (subdomain.test(name)) return [];
  const rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
  return [
    { reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(name)}: ${rule}`, field: 'metadata.name' },
  ];
}

function definitionViolations(plural: string, object: KubeObject): Cause[] {
  if (plural !== 'customresourcedefinitions') return [];
  const spec = asObject(object['spec']);
  const names = asObject(spec['names']);
  const causes: Cause[] = [];
  const expected = `${asString(names['plural'])}.${asString(spec['group'])}`;
  if (object.metadata.name !== expected) {
    const message = `Invalid value: ${JSON.stringify(object.metadata.name)}: must be spec.names.plural+"."+spec.group`;
    causes.push({ reason: 'FieldValueInvalid', message, field: 'metadata.name' });
  }
  for (const [owner, field] of [
    [spec, 'group'],
    [spec, 'scope'],
    [names, 'plural'],
    [names, 'kind'],
  ] as [JsonObject, string][]) {
    if (asString(owner[field]) !== '') continue;
    const path = owner === spec ? `spec.${field}` : `spec.names.${field}`;
    causes.push({ reason: 'FieldValueRequired', message: 'Required value', field: path });
  }
  const versions = Array.isArray(spec['versions']) ? spec['versions'] : [];
  if (versions.filter((version) => asObject(version)['storage'] === true).length !== 1) {
    const message = 'Invalid value: must have exactly one version marked as storage version';
    causes.push({ reason: 'FieldValueInvalid', message, field: 'spec.versions' });
  }
  return causes;
}

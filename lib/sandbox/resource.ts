// What the server knows about a resource it serves: names, versions, schema, columns.
import { asArray, asObject, asString, type Json, type JsonObject } from './json.ts';

/** A column of `kubectl get`. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
  readonly jsonPath: string;
}

/** OpenAPI v3 structural schema, as it stands in a CustomResourceDefinition. */
export type Schema = JsonObject;

export interface ServedVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  /** The Warning header of a deprecated version. */
  readonly deprecation: string | undefined;
  /** Absent for built-in kinds, which are not validated here. */
  readonly schema: Schema | undefined;
  readonly columns: readonly Column[];
  /** Field selectors besides metadata.name and metadata.namespace, as `spec.color`. */
  readonly selectable: readonly string[];
  readonly statusSubresource: boolean;
}

export interface Resource {
  readonly group: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Defined by a CustomResourceDefinition. */
  readonly custom: boolean;
  readonly versions: readonly ServedVersion[];
  /** True while its definition is being deleted. */
  readonly terminating: boolean;
}

export function resourceId({ group, plural }: { group: string; plural: string }): string {
  return `${group}/${plural}`;
}

export function groupVersion(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

export function storageVersion(resource: Resource): string {
  return (resource.versions.find(({ storage }) => storage) ?? resource.versions[0])?.name ?? 'v1';
}

/** Reads a CustomResourceDefinition that has passed validation. */
export function resourceOf(definition: JsonObject): Resource {
  const spec = asObject(definition['spec']);
  const names = asObject(spec['names']);
  const kind = asString(names['kind']);
  const group = asString(spec['group']);
  return {
    group,
    plural: asString(names['plural']),
    singular: asString(names['singular']) || kind.toLowerCase(),
    kind,
    listKind: asString(names['listKind']) || `${kind}List`,
    shortNames: asArray(names['shortNames']).map(asString),
    categories: asArray(names['categories']).map(asString),
    namespaced: spec['scope'] === 'Namespaced',
    custom: true,
    versions: asArray(spec['versions']).map((version) => versionOf(asObject(version), group, kind)),
    terminating: asObject(definition['metadata'])['deletionTimestamp'] !== undefined,
  };
}

function versionOf(version: JsonObject, group: string, kind: string): ServedVersion {
  const name = asString(version['name']);
  const warning = asString(version['deprecationWarning']) || `${group}/${name} ${kind} is deprecated`;
  const schema = asObject(version['schema'])['openAPIV3Schema'];
  return {
    name,
    served: version['served'] === true,
    storage: version['storage'] === true,
    deprecation: version['deprecated'] === true ? warning : undefined,
    schema: schema === undefined ? undefined : asObject(schema),
    columns: columnsOf(version['additionalPrinterColumns']),
    selectable: asArray(version['selectableFields']).map((field) => asString(asObject(field)['jsonPath']).slice(1)),
    statusSubresource: asObject(version['subresources'])['status'] !== undefined,
  };
}

function columnsOf(columns: Json | undefined): Column[] {
  if (columns === undefined) return [ageColumn];
  return asArray(columns).map((column) => {
    const { name, type, format, description, priority, jsonPath } = asObject(column);
    const path = asString(jsonPath);
    return {
      name: asString(name),
      type: asString(type),
      format: asString(format),
      description: asString(description) || `Custom resource definition column (in JSONPath format): ${path}`,
      priority: typeof priority === 'number' ? priority : 0,
      jsonPath: path,
    };
  });
}

export const ageColumn: Column = {
  name: 'Age',
  type: 'date',
  format: '',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created. It is represented in RFC3339 form and is in UTC.',
  priority: 0,
  jsonPath: '.metadata.creationTimestamp',
};

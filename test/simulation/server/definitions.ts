// CustomResourceDefinitions: objects of the store like all others. What an API server serves follows them a moment later.
import type { Dice } from '../random.ts';
import { nameOf, type SimObject, type SimResource } from './sim-object.ts';
import type { Store, Table } from './store.ts';

export const definitionsResource: SimResource = {
  group: 'apiextensions.k8s.io',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
  versions: ['v1'],
  origin: 'built-in',
};

export interface DefinitionWriter {
  /** Written, then accepted, then established: three states (recording 05-crd/create-watch-of-the-crd). */
  create(resource: SimResource, served: readonly string[]): void;
  /** Another spec: other versions, or (the same versions) another schema. */
  change(resource: SimResource, served: readonly string[]): void;
  /** A label: the spec is as before, so nobody is disturbed (recording 05-crd/crd-label-change-while-watching). */
  label(resource: SimResource): void;
  /** Terminating, each object deleted, then gone (recording 05-crd/delete-while-watching). */
  remove(resource: SimResource): void;
  of(resource: SimResource): SimObject | undefined;
}

export function createDefinitionWriter(store: Store, table: Table, dice: Dice, now: () => number): DefinitionWriter {
  function of(resource: SimResource): SimObject | undefined {
    return table.objects.get(`/${nameOf(resource)}`);
  }
  return {
    of,
    create(resource, served) {
      const state = {
        resource: definitionsResource,
        namespace: '',
        name: nameOf(resource),
        uid: newUid(dice),
        generation: 1,
        created: timestamp(now()),
        labels: {},
        managed: managers(now(), 'apiextensions.k8s.io/v1', 'kubectl'),
        served: [...served],
      };
      store.put(table, { ...state, body: definitionBody(resource, served, []) });
      store.put(table, { ...state, body: definitionBody(resource, served, ['NamesAccepted']) });
      store.put(table, { ...state, body: definitionBody(resource, served, ['NamesAccepted', 'Established']) });
    },
    change(resource, served) {
      const definition = of(resource);
      if (definition === undefined) return;
      const body = definitionBody(resource, served, ['NamesAccepted', 'Established']);
      store.put(table, { ...definition, generation: definition.generation + 1, served: [...served], body });
    },
    label(resource) {
      const definition = of(resource);
      if (definition === undefined) return;
      store.put(table, { ...definition, labels: { touched: String(store.rv) } });
    },
    remove(resource) {
      const definition = of(resource);
      if (definition === undefined) return;
      const terminating = store.put(table, { ...definition, deleting: timestamp(now()) });
      const objects = store.tables.get(nameOf(resource));
      for (const object of objects?.objects.values() ?? []) store.remove(objects as Table, object);
      store.remove(table, terminating);
    },
  };
}

function definitionBody(resource: SimResource, served: readonly string[], conditions: readonly string[]): string {
  const { group, plural, kind, namespaced } = resource;
  const singular = kind.toLowerCase();
  const names = `{"plural":"${plural}","singular":"${singular}","kind":"${kind}","listKind":"${kind}List"}`;
  const versions = served.map(
    (name, index) =>
      `{"name":"${name}","served":true,"storage":${index === 0},"schema":{"openAPIV3Schema":{"type":"object"}}}`,
  );
  const states = conditions.map((type) => `{"type":"${type}","status":"True"}`);
  const scope = namespaced ? 'Namespaced' : 'Cluster';
  return `"spec":{"group":"${group}","names":${names},"scope":"${scope}","versions":[${versions.join(',')}]},"status":{"conditions":[${states.join(',')}],"acceptedNames":${names},"storedVersions":["${served[0]}"]}`;
}

/** A version 4 uid. */
export function newUid(dice: Dice): string {
  const hex = (digits: number): string =>
    dice
      .int(16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(8)}${hex(4)}`;
}

let second = -1;
let text = '';

/** Whole seconds, as Kubernetes writes times. The last one is kept: many writes fall in one second. */
export function timestamp(ms: number): string {
  const asked = Math.floor(ms / 1000);
  if (asked !== second) {
    second = asked;
    text = `${new Date(asked * 1000).toISOString().slice(0, 19)}Z`;
  }
  return text;
}

/** metadata.managedFields with one entry. */
export function managers(ms: number, type: string, manager: string): string {
  return `[{"apiVersion":"${type}","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:tier":{}}},"f:spec":{".":{},"f:note":{},"f:size":{}}},"manager":"${manager}","operation":"Update","time":"${timestamp(ms)}"}]`;
}

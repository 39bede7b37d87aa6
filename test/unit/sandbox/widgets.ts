// A resource to try things on: widgets of example.com, with a small schema.
import type { Client, ObjectRef } from '../../../lib/sandbox/client.ts';
import type { JsonObject } from '../../../lib/sandbox/json.ts';
import type { ObjectVersion } from '../../../lib/sandbox/object.ts';
import type { Sandbox } from '../../../lib/sandbox/sandbox.ts';

const widgets = { group: 'example.com', plural: 'widgets', namespace: 'default' };
export const path = '/apis/example.com/v1/widgets';
export const definitions = { group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions' };

export const definition: JsonObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { size: { type: 'integer' }, note: { type: 'string' } } },
            },
          },
        },
      },
    ],
  },
};

/** Creates the definition and waits until it is served. */
export async function defineWidgets(client: Client): Promise<void> {
  client.create(definitions, definition);
  await until(() => client.serves('example.com', 'widgets'));
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

export function createWidget(
  { client }: Pick<Sandbox, 'client'>,
  name: string,
  spec: JsonObject = { size: 1 },
  labels: Record<string, string> = {},
): ObjectVersion {
  return client.create(widgets, { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name, labels }, spec });
}

export function widget(name: string): ObjectRef {
  return { ...widgets, name };
}

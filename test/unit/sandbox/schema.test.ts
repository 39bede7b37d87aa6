import { expect, test } from 'vitest';
import type { JsonObject } from '../../../lib/sandbox/json.ts';
import { violations } from '../../../lib/sandbox/schema.ts';
import { applyDefaults, prune } from '../../../lib/sandbox/structure.ts';

const schema: JsonObject = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 0, maximum: 100 },
        color: { type: 'string', enum: ['red', 'green'], default: 'green' },
        name: { type: 'string', maxLength: 3, pattern: '^[a-z]+$' },
        port: { 'x-kubernetes-int-or-string': true },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: { type: 'object', properties: { name: { type: 'string' }, weight: { type: 'integer', default: 1 } } },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
  },
};

test.each<[string, JsonObject, string[]]>([
  ['nothing wrong', { size: 1, color: 'red', port: 'http', labels: { a: 'b' } }, []],
  ['a missing field', {}, ['spec.size: Required value']],
  [
    'a wrong type',
    { size: 'x' },
    ['spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'],
  ],
  [
    'a fraction for an integer',
    { size: 1.5 },
    ['spec.size: Invalid value: "number": spec.size in body must be of type integer: "number"'],
  ],
  [
    'too large',
    { size: 101 },
    ['spec.size: Invalid value: 101: spec.size in body should be less than or equal to 100'],
  ],
  [
    'not in the enum',
    { size: 1, color: 'pink' },
    ['spec.color: Unsupported value: "pink": supported values: "red", "green"'],
  ],
  [
    'too long and unlike the pattern',
    { size: 1, name: 'ABCD' },
    [
      'spec.name: Too long: may not be more than 3 bytes',
      `spec.name: Invalid value: "ABCD": spec.name in body should match '^[a-z]+$'`,
    ],
  ],
  [
    'a number where int-or-string is a boolean',
    { size: 1, port: true },
    ['spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"'],
  ],
  [
    'a wrong value in a map',
    { size: 1, labels: { a: 1 } },
    ['spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type string: "integer"'],
  ],
  [
    'a key twice in a list',
    { size: 1, ports: [{ name: 'a' }, { name: 'b' }, { name: 'a' }] },
    ['spec.ports[2]: Duplicate value: {"name":"a"}'],
  ],
])('%s', (_, spec, expected) => {
  const found = violations({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: {}, spec }, schema);
  expect(found.map(({ field, message }) => `${field}: ${message}`)).toEqual(expected);
});

test('unknown fields are pruned and named, except where the schema keeps them', () => {
  const object = {
    apiVersion: 'v1',
    kind: 'K',
    metadata: { odd: 1 },
    spec: { size: 1, nope: 1, free: { any: [1] }, ports: [{ name: 'a', x: 1 }] },
  };
  expect(prune(object, schema)).toEqual(['spec.nope', 'spec.ports[0].x']);
  expect(object).toEqual({
    apiVersion: 'v1',
    kind: 'K',
    metadata: { odd: 1 },
    spec: { size: 1, free: { any: [1] }, ports: [{ name: 'a' }] },
  });
});

test('defaults are filled in where something is missing, also in items of lists', () => {
  const object = { spec: { size: 1, ports: [{ name: 'a' }, { name: 'b', weight: 5 }] } };
  applyDefaults(object, schema);
  expect(object).toEqual({
    spec: {
      size: 1,
      color: 'green',
      ports: [
        { name: 'a', weight: 1 },
        { name: 'b', weight: 5 },
      ],
    },
  });
});

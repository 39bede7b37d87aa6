// Firestore refuses a search that has no index, and keeps for ever what has no TTL: Terraform has to know what the store does.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { terraformModule } from './terraform-module.ts';

const root = join(import.meta.dirname, '../../..');
const store = join(root, 'lib/adapters/firestore');
const code = readdirSync(store).map((name) => readFileSync(join(store, name), 'utf8'));

interface Locals {
  readonly collections: Readonly<
    Record<string, { readonly unindexed: readonly string[]; readonly expires: string | null }>
  >;
  readonly composites: Readonly<
    Record<string, { readonly collection: string; readonly fields: readonly { readonly path: string }[] }>
  >;
}
const file = readFileSync(join(root, 'infra/firestore.tf'), 'utf8');
const { definitions } = await terraformModule({ 'firestore.tf': file });
const local = (name: keyof Locals): unknown => definitions.find(({ address }) => address === `local.${name}`)?.body;
const { collections, composites } = { collections: local('collections'), composites: local('composites') } as Locals;

/** The searches of the store: collection and the fields that it asks for or orders by. */
const searches = [
  { collection: 'frames', fields: ['position', 'tags'] },
  { collection: 'frames', fields: ['number', 'writer'] },
  { collection: 'streams', fields: ['cluster', 'key'] },
];

test('every search by two fields that the store makes is one of these', () => {
  const asked = code.flatMap((text) => [...text.matchAll(/field: '(\w+)'/g)].map(([, field]) => field ?? ''));
  const known = new Set([...searches.flatMap(({ fields }) => fields), 'at']);
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter((field) => !known.has(field))).toEqual([]);
});

test.each(searches)('the search of $collection by $fields has its index', ({ collection, fields }) => {
  const own = Object.values(composites).filter((index) => index.collection === collection);
  expect(own.map((index) => index.fields.map(({ path }) => path).toSorted())).toContainEqual(fields);
});

test('what the store gives a time to expire is removed by Firestore then', () => {
  const expiring = Object.entries(collections).filter(([, { expires }]) => expires === 'expireAt');
  expect(expiring.map(([name]) => name).toSorted()).toEqual(['chunks', 'frames', 'sessions', 'status', 'statusParts']);
  expect(code.some((text) => text.includes('expireAt'))).toBe(true);
});

test('what is only kept has no index', () => {
  for (const [name, { unindexed }] of Object.entries(collections)) {
    const kept = ['data', 'pages', 'holder'].filter((field) => unindexed.includes(field));
    expect(kept, name).not.toEqual([]);
  }
});

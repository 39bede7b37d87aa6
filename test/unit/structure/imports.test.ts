// The dependency rule of docs/architecture.md: who may import whom in lib/.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const lib = resolve(import.meta.dirname, '../../../lib');

/** Room → rooms it may import (itself is always allowed). */
const mayImport: Record<string, readonly string[]> = {
  model: [],
  async: [],
  config: ['model'],
  decode: ['model', 'async', 'ports'],
  ports: ['model'],
  discover: ['model', 'async', 'ports'],
  plan: ['model', 'async', 'ports'],
  watch: ['model', 'async', 'ports', 'decode'],
  history: ['model', 'async', 'ports'],
  tokens: ['model', 'async', 'ports'],
  metadata: ['model', 'async', 'ports'],
  policy: ['model', 'config'],
  functions: ['model', 'async', 'ports', 'policy'],
  bridge: ['model', 'async', 'ports', 'discover', 'plan', 'watch', 'history'],
  'adapters/kubernetes': ['model', 'async', 'ports', 'decode'],
  'adapters/disk': ['model', 'async', 'ports', 'history'],
  'adapters/firestore': ['model', 'async', 'ports', 'history', 'adapters/google-api'],
  'adapters/google': ['model', 'async', 'ports', 'adapters/google-api'],
  'adapters/google-api': ['model', 'async', 'ports'],
  'adapters/http': ['model', 'async', 'ports'],
  'adapters/stdout': ['model', 'async', 'ports'],
  'adapters/oidc': ['model', 'async', 'ports'],
  'adapters/server': ['model', 'async', 'ports'],
  client: [],
  entries: ['compose'],
  sandbox: [],
  compose: ['*'],
  'compose.ts': ['*'],
  'index.ts': ['model', 'ports', 'compose.ts', 'adapters/kubernetes'],
  cli: ['model', 'async', 'ports', 'config', 'policy', 'compose.ts', 'index.ts'],
};

function roomOf(path: string): string {
  const parts = path.split('/');
  if (parts.length === 1) return parts[0] ?? '';
  return parts[0] === 'adapters' ? `adapters/${parts[1]}` : (parts[0] ?? '');
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from\s+|import\s*\(\s*|import\s+)'(\.[^']+)'/g)].map((match) => match[1] ?? '');
}

function violations(files: readonly string[], read: (file: string) => string[]): string[] {
  return files.flatMap((file) => {
    const from = roomOf(relative(lib, file));
    const allowed = mayImport[from];
    if (allowed === undefined) return [`${relative(lib, file)}: no room of this name in the rule`];
    return read(file).flatMap((specifier) => {
      const to = roomOf(relative(lib, resolve(dirname(file), specifier)));
      const fine = to === from || allowed.includes('*') || allowed.includes(to);
      return fine ? [] : [`${relative(lib, file)} imports ${to}`];
    });
  });
}

const files = readdirSync(lib, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(lib, name));

describe('the import rule', () => {
  test('every file imports only from the rooms that its own room may know', () => {
    expect(files.length).toBeGreaterThan(15);
    expect(violations(files, importsOf)).toEqual([]);
  });

  test('a stage that imports another stage or an adapter is reported', () => {
    const guilty = join(lib, 'watch/guilty.ts');
    expect(violations([guilty], () => ['../plan/streams.ts', '../adapters/disk/log.ts'])).toEqual([
      'watch/guilty.ts imports plan',
      'watch/guilty.ts imports adapters/disk',
    ]);
  });
});

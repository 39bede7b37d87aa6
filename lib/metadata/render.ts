// How a directory or a value looks in an answer: text or JSON, one level or all of them.
// Source: https://cloud.google.com/compute/docs/metadata/querying-metadata#data_formats
import type { Directory, Entry, Value } from './tree.ts';

export type Format = 'text' | 'json';

/** A value: text by default, lists as lines. */
export function renderValue(value: Value, format: Format): string {
  if (format === 'json') return JSON.stringify(value);
  return Array.isArray(value) ? value.map((line) => `${line}\n`).join('') : String(value);
}

/** The names in a directory, those of directories with a `/`. */
export function renderNames({ entries }: Directory, format: Format): string {
  const names = [...entries].map(([name, entry]) => (entry.kind === 'directory' ? `${name}/` : name));
  return format === 'json' ? JSON.stringify(names) : names.map((name) => `${name}\n`).join('');
}

/** All that is under a directory, but for tokens: JSON, or lines of path and value. What cannot be read is left out. */
export async function renderTree(directory: Directory, format: Format): Promise<string> {
  const values = await valuesOf(directory);
  return format === 'json' ? JSON.stringify(plain(values)) : lines(values, '').join('');
}

/** A directory with its values read. */
interface Read {
  readonly entries: readonly (readonly [string, Value | Read])[];
  readonly ownKeys: boolean;
}

async function valuesOf({ entries, ownKeys = false }: { entries: Directory['entries']; ownKeys?: boolean }) {
  const read = await Promise.all([...entries].map(async ([name, entry]) => [name, await valueOf(entry)] as const));
  const known = read.filter((pair): pair is readonly [string, Value | Read] => pair[1] !== undefined);
  return { entries: known, ownKeys } satisfies Read as Read;
}

async function valueOf(entry: Entry): Promise<Value | Read | undefined> {
  if (entry.kind === 'directory') return await valuesOf(entry);
  // Who asks for one entry by its own path hears why it cannot be read.
  return entry.kind === 'value' ? await entry.read().catch(() => undefined) : undefined;
}

function isRead(value: Value | Read): value is Read {
  return typeof value === 'object' && 'entries' in value && !Array.isArray(value);
}

function plain({ entries, ownKeys }: Read): object {
  return Object.fromEntries(
    entries.map(([name, value]) => [ownKeys ? name : camelCase(name), isRead(value) ? plain(value) : value]),
  );
}

function lines({ entries }: Read, path: string): readonly string[] {
  return entries.flatMap(([name, value]) => {
    if (isRead(value)) return lines(value, `${path}${name}/`);
    const all = Array.isArray(value) ? (value as readonly string[]) : [value];
    return all.map((each) => `${path}${name} ${String(each)}\n`);
  });
}

function camelCase(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

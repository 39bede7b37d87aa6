// Inputs that are kept: those that once failed, and those that say what a target is about. One file each, any bytes.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'corpus');

export interface CorpusEntry {
  /** Of the file. */
  readonly name: string;
  readonly bytes: Buffer;
}

/** In the order of names. */
export function readCorpus(target: string): readonly CorpusEntry[] {
  const path = join(folder, target);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .toSorted()
    .map((name) => ({ name, bytes: readFileSync(join(path, name)) }));
}

/** Keeps an input that failed; returns its path. */
export function keepInput(target: string, input: Uint8Array): string {
  const path = join(folder, target);
  mkdirSync(path, { recursive: true });
  const file = join(path, `found-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`);
  writeFileSync(file, input);
  return file;
}

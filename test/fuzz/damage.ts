// Damage to the files of a data folder, as a short script in JSON: what disks, file systems, and people who copy files do.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pick } from '../support/seeded-random.ts';
import { emptyFolder, FILES, type FileName, type FolderTemplate, type Snapshot } from './folder-template.ts';
import { below, type Random } from './mutate.ts';

export interface Damage {
  /** Which copy of the folder is damaged. */
  readonly base: 'live' | 'closed';
  readonly edits: readonly Edit[];
}

type Edit =
  /** `at` counts bytes, taken modulo the file's length. */
  | { readonly do: 'flip'; readonly file: FileName; readonly at: number; readonly bit: number }
  | { readonly do: 'write'; readonly file: FileName; readonly at: number; readonly hex: string }
  | { readonly do: 'zero'; readonly file: FileName; readonly at: number; readonly bytes: number }
  | { readonly do: 'cut'; readonly file: FileName; readonly at: number }
  | { readonly do: 'remove'; readonly file: FileName }
  /** In its place, the file from another time or of another folder. */
  | { readonly do: 'replace'; readonly file: FileName; readonly by: 'older' | 'other' | 'closed' };

const PAGE = 4096;

export function randomDamage(random: Random): Damage {
  const base = random() < 0.4 ? 'live' : 'closed';
  const times = random() < 0.75 ? 1 : 1 + below(random, 4);
  return { base, edits: believable(Array.from({ length: times }, () => randomEdit(random, base))) };
}

/**
 * A database of one moment beside part of the write-ahead log of another is a mixture of pages of both, each whole: that a last state in
 * it is an old one is not noticed (docs/proof.md, "What they do not show"). With all of
 * that log, or none, it was not seen.
 */
function believable(edits: readonly Edit[]): readonly Edit[] {
  const isOther = edits.some((edit) => edit.do === 'replace' && edit.file === 'db');
  const keepsLogWhole = ({ do: how, file }: Edit): boolean => file !== 'wal' || how === 'replace' || how === 'remove';
  return isOther ? edits.filter(keepsLogWhole) : edits;
}

function randomEdit(random: Random, base: Damage['base']): Edit {
  const file: FileName = base === 'closed' || random() < 0.5 ? 'db' : random() < 0.8 ? 'wal' : 'shm';
  const at = below(random, 2 ** 30);
  const way = random();
  if (way < 0.6) return { do: 'flip', file, at, bit: below(random, 8) };
  if (way < 0.75) {
    const length = 1 + below(random, random() < 0.5 ? 8 : 600);
    return {
      do: 'write',
      file,
      at,
      hex: Buffer.from(Array.from({ length }, () => below(random, 256))).toString('hex'),
    };
  }
  if (way < 0.85) {
    return random() < 0.7
      ? { do: 'zero', file, at: at - (at % PAGE), bytes: PAGE }
      : { do: 'zero', file, at, bytes: 1 + below(random, PAGE) };
  }
  if (way < 0.92) return { do: 'cut', file, at: random() < 0.7 ? at - (at % PAGE) : at };
  if (way < 0.94) return { do: 'remove', file };
  // Another folder's database, and whoever trusts its log, tells the truth of another folder: nobody can notice.
  return { do: 'replace', file, by: pick(random, file === 'shm' ? ['older', 'other', 'closed'] : ['older', 'closed']) };
}

/** Undefined where the bytes are no script: a script is changed by drawing another, not by changing its letters. */
export function parseDamage(input: Buffer): Damage | undefined {
  try {
    return JSON.parse(input.toString('utf8')) as Damage;
  } catch {
    return undefined;
  }
}

/** Writes a damaged copy of the template to `path`. */
export function applyDamage({ base, edits }: Damage, template: FolderTemplate, path: string): void {
  emptyFolder(path);
  const files: Partial<Record<FileName, Buffer>> = {};
  for (const [name, bytes] of entries(template[base])) files[name] = Buffer.from(bytes);
  for (const edit of edits) {
    const { file } = edit;
    const bytes = files[file] ?? Buffer.alloc(0);
    if (edit.do === 'remove') delete files[file];
    else if (edit.do === 'replace') files[file] = Buffer.from(template[edit.by][file] ?? []);
    else if (bytes.length > 0) files[file] = edited(bytes, edit);
  }
  for (const [name, bytes] of entries(files)) writeFileSync(join(path, FILES[name]), bytes, { mode: 0o600 });
}

function edited(bytes: Buffer, edit: Exclude<Edit, { do: 'remove' | 'replace' }>): Buffer {
  const at = edit.at % bytes.length;
  if (edit.do === 'cut') return bytes.subarray(0, at);
  if (edit.do === 'flip') bytes[at] = (bytes[at] ?? 0) ^ (1 << edit.bit);
  else if (edit.do === 'zero') bytes.fill(0, at, Math.min(bytes.length, at + edit.bytes));
  else bytes.write(edit.hex, at, 'hex');
  return bytes;
}

function entries(snapshot: Snapshot): [FileName, Buffer][] {
  return Object.entries(snapshot) as [FileName, Buffer][];
}

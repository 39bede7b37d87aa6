// A data folder with flipped bits, lost pages, or files that do not belong together: whoever opens and reads it gets the
// truth or an error that says what to do, and whoever goes on recording in it makes no wrong revision of it.
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataFolder } from '../../../lib/adapters/disk/data-folder.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { streamKey } from '../../../lib/model/stream.ts';
import { change, testStream } from '../../support/changes.ts';
import { applyDamage, parseDamage, randomDamage } from '../damage.ts';
import { buildTemplate, type FolderTemplate, NAMES, open } from '../folder-template.ts';
import { judgeFolder } from '../judge-folder.ts';
import { type FuzzTarget, must } from '../target.ts';

let template: FolderTemplate | undefined;
let scratch: string | undefined;

export const dataFolder: FuzzTarget = {
  name: 'data-folder',
  cases: 60,
  words: [],
  asGenerated: true,
  generate: (random) => Buffer.from(JSON.stringify(randomDamage(random))),
  check,
  close() {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  },
};

async function check(input: Buffer): Promise<string> {
  const damage = parseDamage(input);
  if (damage === undefined) return 'no script';
  template ??= await buildTemplate();
  scratch ??= await mkdtemp(join(tmpdir(), 'mk8s-fuzz-'));
  const path = join(scratch, 'data');
  applyDamage(damage, template, path);
  const outcomes: string[] = [];
  outcomes.push(await attempt(path, true, (folder) => judgeFolder(folder, template as FolderTemplate)));
  outcomes.push(await attempt(path, false, (folder) => judgeRecording(folder, template as FolderTemplate)));
  // What was recorded after the damage is there as the rest is, or nothing can be read.
  outcomes.push(await attempt(path, true, async (folder) => void (await folder.log.position(testStream()))));
  return outcomes.includes('refused') ? 'refused' : 'true';
}

async function attempt(
  path: string,
  readOnly: boolean,
  use: (folder: DataFolder) => Promise<unknown>,
): Promise<'true' | 'refused'> {
  try {
    const folder = open(path, readOnly);
    try {
      await use(folder);
    } finally {
      await folder.close();
    }
    return 'true';
  } catch (error) {
    if (!(error instanceof Mk8sError)) throw error;
    must(error.code === 'storage' && !error.retryable, `it is refused as ${error.code}: ${error.message}`);
    must(error.message.includes(path), `the error does not name the folder: ${error.message}`);
    must(ADVICE.test(error.message), `the error does not say what to do: ${error.message}`);
    return 'refused';
  }
}

const ADVICE = /Restore it from a backup|Choose another folder|choose another folder|`mk8s run --data`|Check the disk/;

/** One more state of a known object: it follows on its true predecessor. */
async function judgeRecording(folder: DataFolder, { streams }: FolderTemplate): Promise<void> {
  const stream = testStream();
  const truth = streams.get(streamKey(stream))?.revisions ?? [];
  const name = NAMES[60] as string;
  const [revision] = await folder.log.append(stream, { fence: 1, epoch: 1, changes: [change(name, 999_999_999)] });
  must(revision !== undefined, 'a new state was taken for an old one');
  const before = truth.slice(0, revision.sequence - 1);
  must(before.length === revision.sequence - 1, `a revision ${revision.sequence} was made after ${truth.length}`);
  const previous = before.findLast((each) => each.name === name)?.sequence ?? 0;
  must(revision.previous === previous, `it follows ${revision.previous}, not ${previous}`);
}

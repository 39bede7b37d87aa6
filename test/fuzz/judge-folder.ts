// Holds all that a data folder says against what was written to it.
import { isDeepStrictEqual } from 'node:util';
import type { DataFolder } from '../../lib/adapters/disk/data-folder.ts';
import { type LastState, type ObjectKey, objectKey, type Revision } from '../../lib/model/revision.ts';
import { streamKey } from '../../lib/model/stream.ts';
import { checkpointText, type FolderTemplate, NAMES, positionText, type StreamTruth } from './folder-template.ts';
import { must } from './target.ts';

/**
 * Reads everything. Each answer is true of the folder as it was at its end, or (a write-ahead log that lost its end) after
 * an earlier commit, and all answers of a stream are of one moment. Errors pass through. Returns the position at the end
 * of the log.
 */
export async function judgeFolder(folder: DataFolder, template: FolderTemplate): Promise<number> {
  const listed = await folder.log.streams();
  for (const ref of listed) must(template.streams.has(streamKey(ref)), `there never was a stream ${streamKey(ref)}`);
  let total = 0;
  for (const truth of template.streams.values()) total += await judgeStream(folder, truth);
  await judgeFeed(folder, template, total);
  for (const { name, position } of await folder.subscriptions.list()) {
    must(name === 's' && template.acknowledged.has(position), `subscription ${name} never stood at ${position}`);
  }
  const { run } = await folder.status.read();
  must(run === undefined || typeof run.running === 'boolean', 'the status is none');
  await folder.deadLetters.list(10);
  return total;
}

/** Returns how many revisions it has. */
async function judgeStream({ log, checkpoints }: DataFolder, truth: StreamTruth): Promise<number> {
  const { stream, revisions } = truth;
  const key = streamKey(stream);
  const position = await log.position(stream);
  const { sequence } = position;
  must(
    sequence === 0 || truth.positions.has(positionText(position)),
    `${key} never stood at ${positionText(position)}`,
  );
  const checkpoint = checkpointText(await checkpoints.get(stream));
  must(checkpoint === 'none' || truth.checkpoints.has(checkpoint), `${key} never had the checkpoint ${checkpoint}`);

  const read = await readAll(
    (after: number) => log.read(stream, after, { changes: 70, bytes: 1e9 }),
    (last) => last.sequence,
    0,
  );
  for (const revision of read) mustBeTrue(revision, revisions);
  must(read.length === sequence, `${key} stands at ${sequence} and has ${read.length} revisions`);

  const last = statesAfter(revisions.slice(0, sequence));
  const live = [...last.values()].filter(({ deleted }) => !deleted);
  const states = await readAll((after: ObjectKey | undefined) => log.lastStates(stream, after, 37), keyOf, undefined);
  must(isDeepStrictEqual(states.map(plain), live.map(plain)), `${key} has other last states`);
  for (const name of [NAMES[0], NAMES[60], NAMES.at(-1)]) {
    const object = objectKey('ns', name ?? '');
    const state = await log.lastState(stream, object);
    const expected = last.get(object);
    must(
      isDeepStrictEqual(state && plain(state), expected && plain(expected)),
      `${key} has another last state of ${name}`,
    );
    const chain: number[] = [];
    for await (const revision of log.revisionsOf(stream, object)) {
      mustBeTrue(revision, revisions);
      chain.push(revision.sequence);
    }
    const true_ = revisions
      .slice(0, sequence)
      .filter((revision) => revision.name === name)
      .map((each) => each.sequence);
    must(isDeepStrictEqual(chain, true_.reverse()), `${key} has other revisions of ${name}`);
  }
  return sequence;
}

async function judgeFeed({ feed }: DataFolder, { streams }: FolderTemplate, total: number): Promise<void> {
  const head = await feed.head();
  must(head === total, `the feed ends at ${head}, the streams at ${total}`);
  const seen: Revision[] = [];
  for (let after = await feed.tail(); ; ) {
    const page = await feed.read(after, { bytes: 20_000 });
    seen.push(...page.revisions);
    must(page.atEnd || page.position > after, 'the feed stands still');
    if (page.atEnd) break;
    after = page.position;
  }
  for (const revision of seen) mustBeTrue(revision, streams.get(streamKey(revision.stream))?.revisions ?? []);
  const positions = seen.map(({ position }) => position);
  must(
    isDeepStrictEqual(
      positions,
      [...positions].sort((a, b) => a - b),
    ),
    'the feed is out of order',
  );
  must(new Set(positions).size === total, `the feed has ${positions.length} revisions of ${total}`);
}

function mustBeTrue(revision: Revision, truth: readonly Revision[]): void {
  const expected = truth[revision.sequence - 1];
  must(expected !== undefined, `there never was a revision ${revision.sequence}`);
  const { object, ...rest } = revision;
  const { object: bytes, ...others } = expected;
  must(isDeepStrictEqual(rest, others), `revision ${revision.sequence} is another`);
  must(Buffer.compare(object, bytes) === 0, `the object of revision ${revision.sequence} is another`);
}

async function readAll<T, K>(page: (after: K) => Promise<readonly T[]>, next: (last: T) => K, start: K): Promise<T[]> {
  const all: T[] = [];
  for (let after = start; ; ) {
    const found = await page(after);
    const last = found.at(-1);
    if (last === undefined) return all;
    all.push(...found);
    must(all.length < 10_000, 'pages repeat themselves');
    after = next(last);
  }
}

/** In the order of keys. */
function statesAfter(revisions: readonly Revision[]): ReadonlyMap<ObjectKey, LastState> {
  const last = new Map<ObjectKey, LastState>();
  for (const revision of revisions) last.set(keyOf(revision), { ...revision, deleted: revision.type === 'delete' });
  return new Map([...last].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function keyOf({ namespace, name }: Pick<LastState, 'namespace' | 'name'>): ObjectKey {
  return objectKey(namespace, name);
}

function plain({ namespace, name, uid, resourceVersion, asOf, epoch, sequence, deleted }: LastState): unknown[] {
  return [namespace, name, uid, resourceVersion, asOf, epoch, sequence, deleted];
}

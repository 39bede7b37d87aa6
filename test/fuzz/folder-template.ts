// A data folder that was written in order, with everything that was true of it after each commit: what a damaged copy of
// it is compared with.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DataFolder, openDataFolder } from '../../lib/adapters/disk/data-folder.ts';
import type { Checkpoint } from '../../lib/model/checkpoint.ts';
import type { Revision } from '../../lib/model/revision.ts';
import { type StreamKey, type StreamRef, streamKey } from '../../lib/model/stream.ts';
import type { LogPosition } from '../../lib/ports/revision-log.ts';
import { change, testStream } from '../support/changes.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { below } from './mutate.ts';

export const FILES = { db: 'mk8s.db', wal: 'mk8s.db-wal', shm: 'mk8s.db-shm' } as const;
export type FileName = keyof typeof FILES;
/** Bytes of each file; absent where there is none. */
export type Snapshot = Readonly<Partial<Record<FileName, Buffer>>>;

/** What was true of a stream. */
export interface StreamTruth {
  readonly stream: StreamRef;
  readonly revisions: readonly Revision[];
  /** After each commit, as JSON. */
  readonly positions: ReadonlySet<string>;
  readonly checkpoints: ReadonlySet<string>;
}

export interface FolderTemplate {
  /** Copies of the files: at the end of a run that was killed, and after one that ended in order. */
  readonly live: Snapshot;
  readonly closed: Snapshot;
  /** From the middle of the same run, and of another folder. */
  readonly older: Snapshot;
  readonly other: Snapshot;
  readonly streams: ReadonlyMap<StreamKey, StreamTruth>;
  /** Of subscription `s`, as it was acknowledged. */
  readonly acknowledged: ReadonlySet<number>;
  readonly status: string;
}

export const NAMES = Array.from({ length: 120 }, (_, n) => `object-${String(n).padStart(3, '0')}`);
const STEPS = 60;

/** Builds it in a folder that is removed again. Always the same. */
export async function buildTemplate(): Promise<FolderTemplate> {
  const path = await mkdtemp(join(tmpdir(), 'mk8s-fuzz-'));
  try {
    const other = await write(join(path, 'other'), 7);
    const { snapshots, ...truth } = await write(join(path, 'data'), 1);
    return { ...truth, ...snapshots, other: other.snapshots.live };
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

async function write(path: string, seed: number) {
  const random = seededRandom(seed);
  const streams = new Map<
    StreamKey,
    StreamTruth & { revisions: Revision[]; positions: Set<string>; checkpoints: Set<string> }
  >();
  for (const stream of [testStream('widgets'), testStream('gadgets')]) {
    streams.set(streamKey(stream), { stream, revisions: [], positions: new Set(), checkpoints: new Set() });
  }
  const acknowledged = new Set<number>();
  let older: Snapshot = {};
  let folder = open(path);
  const status = { run: 'here, pid 1', startedAt: 1, updatedAt: 2, running: true, problems: [] };
  await folder.status.write(status, []);
  await folder.deadLetters.put({ sink: 'hook', stream: 'widgets', id: 'x', sequence: 1, reason: 'no', at: 5 });
  for (let step = 1; step <= STEPS; step++) {
    for (const truth of streams.values()) await writeStep(folder, truth, step, random);
    const head = await folder.feed.head();
    await folder.subscriptions.acknowledge('s', head);
    acknowledged.add(head);
    // A run that ended in order in between: the table of last states is written, and the log copied into the database.
    if (step === 20 || step === 40) {
      await folder.close();
      if (step === 20) older = readFiles(path);
      folder = open(path);
    }
  }
  const live = readFiles(path);
  await folder.close();
  const closed = readFiles(path);
  return { streams, acknowledged, status: JSON.stringify(status), snapshots: { live, closed, older } };
}

async function writeStep(
  { log, checkpoints }: DataFolder,
  truth: StreamTruth & { revisions: Revision[]; positions: Set<string>; checkpoints: Set<string> },
  step: number,
  random: () => number,
): Promise<void> {
  const { stream } = truth;
  const first = step === 1;
  const names = first
    ? NAMES
    : Array.from({ length: 1 + below(random, 8) }, () => NAMES[below(random, NAMES.length)] ?? '');
  const changes = [...new Set(names)].map((name, n) =>
    change(name, step * 1000 + n, {
      type: first ? 'add' : random() < 0.1 ? 'delete' : 'update',
      object: JSON.stringify({
        name,
        step,
        text: random()
          .toString(36)
          .repeat(1 + below(random, 12)),
      }),
    }),
  );
  const last = changes.at(-1)?.resourceVersion;
  const revisions = await log.append(stream, {
    fence: 1,
    epoch: 1,
    changes,
    ...(last === undefined ? {} : { resourceVersion: last }),
  });
  truth.revisions.push(...revisions.map((revision) => ({ ...revision, object: Buffer.from(revision.object) })));
  truth.positions.add(positionText(await log.position(stream)));
  const sequence = truth.revisions.length;
  const before = await checkpoints.get(stream);
  const next: Checkpoint = {
    epoch: 1,
    published: sequence,
    fence: 1,
    updatedAt: step,
    ...(last === undefined ? {} : { resourceVersion: last }),
  };
  await checkpoints.compareAndSet(stream, before, next);
  truth.checkpoints.add(checkpointText(next));
}

/** For comparison. */
export function positionText({ epoch, sequence, objects, resourceVersion }: LogPosition): string {
  return `epoch ${epoch}, sequence ${sequence}, ${objects} objects, version ${resourceVersion ?? 'none'}`;
}

/** For comparison. */
export function checkpointText(checkpoint: Checkpoint | undefined): string {
  if (checkpoint === undefined) return 'none';
  const { epoch, published, fence, resourceVersion } = checkpoint;
  return `epoch ${epoch}, published ${published}, fence ${fence}, version ${resourceVersion ?? 'none'}`;
}

/** Opens a data folder as tests do. */
export function open(path: string, readOnly = false): DataFolder {
  return openDataFolder({ path, readOnly, clock: createManualClock(), host: 'here', isAlive: () => false });
}

function readFiles(path: string): Snapshot {
  const copies = (Object.keys(FILES) as FileName[]).flatMap((name) => {
    const file = join(path, FILES[name]);
    return existsSync(file) ? [[name, readFileSync(file)] as const] : [];
  });
  return Object.fromEntries(copies);
}

/** An empty folder, as `mk8s run` would make it. */
export function emptyFolder(path: string): void {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

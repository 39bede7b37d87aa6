// The other side, the obvious loop: `node:http`, split at newlines, JSON.parse, managedFields deleted, one SQLite row for each
// event, committed (synchronous=FULL) with every batch that has arrived. No idempotence, no last states, no publishing, no
// checkpoint but the row itself.
import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { COLLECTION, FIRST_VERSION } from './pipeline-events.ts';
import { type PipelineResult, type PipelineTask, runTask, startMeter } from './pipeline-target.ts';

/** As many as ours commits at a time, about: more would not be slower. */
const BATCH = 600;

interface Event {
  readonly type: string;
  readonly object: {
    readonly metadata: {
      readonly namespace: string;
      readonly name: string;
      readonly uid: string;
      readonly resourceVersion: string;
      managedFields?: unknown;
    };
  };
}

async function run(task: PipelineTask): Promise<PipelineResult> {
  const database = new DatabaseSync(join(task.folder, 'loop.db'));
  database.exec(`
    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16384;
    CREATE TABLE revision (sequence INTEGER PRIMARY KEY, key TEXT NOT NULL, uid TEXT NOT NULL, rv TEXT NOT NULL,
      type TEXT NOT NULL, observed_at REAL NOT NULL, object TEXT NOT NULL);`);
  const insert = database.prepare(
    'INSERT INTO revision (key, uid, rv, type, observed_at, object) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const meter = startMeter(task);
  let total = 0;

  /** True at the end. */
  function record(lines: readonly string[]): boolean {
    database.exec('BEGIN IMMEDIATE');
    for (const line of lines) {
      const { type, object } = JSON.parse(line) as Event;
      const { namespace, name, uid, resourceVersion } = object.metadata;
      delete object.metadata.managedFields;
      insert.run(`${namespace}/${name}`, uid, resourceVersion, type, Date.now(), JSON.stringify(object));
    }
    database.exec('COMMIT');
    meter.committed();
    total += lines.length;
    return meter.reached(total);
  }

  const { group, version, plural } = COLLECTION;
  const message = await open(`${task.url}/apis/${group}/${version}/${plural}?watch=1&resourceVersion=${FIRST_VERSION}`);
  message.setEncoding('utf8');
  let rest = '';
  let lines: string[] = [];
  for await (const chunk of message as AsyncIterable<string>) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    if (lines.length < BATCH && total + lines.length < task.warmUp + task.events) continue;
    if (record(lines)) break;
    lines = [];
  }
  database.close();
  return meter.read();

  async function open(url: string): Promise<IncomingMessage> {
    return await new Promise((resolve, reject) => {
      const request = task.ca === undefined ? httpGet(url, resolve) : httpsGet(url, { ca: task.ca }, resolve);
      request.on('error', reject);
    });
  }
}

runTask(run);

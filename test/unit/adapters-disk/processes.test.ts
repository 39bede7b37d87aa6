// Several processes on one folder, and processes that die.
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { openDataFolder } from '../../../lib/adapters/disk/data-folder.ts';
import { databaseOver } from '../../../lib/adapters/disk/database.ts';
import { schemaVersion } from '../../../lib/adapters/disk/schema.ts';
import { systemClock } from '../../../lib/async/system-clock.ts';
import { objectKey } from '../../../lib/model/revision.ts';
import { change, collect, testStream } from '../../support/changes.ts';
import { spawnDisk } from '../../support/disk-process.ts';
import { append, dataPath, everything, openFolder } from './open-folder.ts';

const widgets = testStream('widgets');
const gadgets = testStream('gadgets');

test('promise 1: what was acknowledged before kill -9 is there, without gaps, and recording goes on', async () => {
  const path = await dataPath();
  for (let life = 0; life < 3; life++) {
    const { child, lines, ended } = spawnDisk({ do: 'append', path, plural: `p${life}`, batches: 1_000_000 });
    let acknowledged = 0;
    // Another number of batches each time, so that death comes at another point of the write.
    for (let i = 0; i < 40 + life * 17; i++) acknowledged = Number((await lines.next()).value);
    child.kill('SIGKILL');
    await ended;

    const folder = openFolder(path);
    const stream = testStream(`p${life}`);
    const revisions = await folder.log.read(stream, 0, everything);
    expect(acknowledged).toBeGreaterThan(100);
    expect(revisions.length).toBeGreaterThanOrEqual(acknowledged);
    expect(revisions.map((revision) => revision.sequence)).toEqual(revisions.map((_, i) => i + 1));
    expect((await folder.log.position(stream)).sequence).toBe(revisions.length);
    // The last states were in the dead process' memory.
    const last = new Map(revisions.map((revision) => [revision.name, revision.resourceVersion]));
    for (const [name, resourceVersion] of last) {
      expect(await folder.log.lastState(stream, objectKey('ns', name))).toMatchObject({ resourceVersion });
    }
    expect(await folder.log.lastStates(stream, undefined, 10_000)).toHaveLength(last.size);
    const [next] = await append(folder, [change('o1', 1e9)], stream);
    expect(next?.sequence).toBe(revisions.length + 1);
    await folder.close();
  }
});

test('two processes write to one folder: each stream stays whole, positions are those of one log', async () => {
  const path = await dataPath();
  const folder = openFolder(path);
  const other = spawnDisk({ do: 'append', path, plural: 'gadgets', batches: 60 });
  for (let i = 0; i < 60; i++) await append(folder, [change(`o${i}`, i + 1), change(`p${i}`, i + 1)]);
  await other.ended;
  expect((await folder.log.position(widgets)).sequence).toBe(120);
  expect((await folder.log.position(gadgets)).sequence).toBe(420);
  const { revisions } = await folder.feed.read(0, { bytes: 1e9 });
  expect(revisions.map((revision) => revision.position)).toEqual(Array.from({ length: 540 }, (_, i) => i + 1));
});

test('a stream that another process went on with is recorded once, and its objects are known', async () => {
  const path = await dataPath();
  const folder = openFolder(path);
  await append(folder, [change('o1', 1), change('mine', 1)], gadgets);
  await spawnDisk({ do: 'append', path, plural: 'gadgets', batches: 3 }).ended;
  expect(await append(folder, [change('o1', 2), change('o20', 21)], gadgets)).toEqual([]);
  const [next] = await append(folder, [change('o20', 22)], gadgets);
  expect(next).toMatchObject({ sequence: 24, previous: 23 });
  expect(await folder.log.position(gadgets)).toMatchObject({ sequence: 24, objects: 22 });
});

test('a reader in this process is woken by a writer in another', async () => {
  const path = await dataPath();
  openFolder(path);
  const reader = openFolder(path, { readOnly: true });
  const other = spawnDisk({ do: 'append', path, plural: 'gadgets', batches: 5 });
  const seen: number[] = [];
  for (let position = 0; seen.length < 35; ) {
    await reader.feed.changed(position, AbortSignal.timeout(20_000));
    const page = await reader.feed.read(position, { bytes: 1 });
    seen.push(...page.revisions.map((revision) => revision.sequence));
    position = page.position;
  }
  await other.ended;
  expect(seen).toEqual(Array.from({ length: 35 }, (_, i) => i + 1));
});

test('promise 6: the lease of a process of this machine that was killed is free at once', async () => {
  const path = await dataPath();
  const folder = openDataFolder({ path, clock: systemClock, host: hostname() });
  onTestFinished(() => folder.close());
  const { child, lines, ended } = spawnDisk({ do: 'lease', path, name: 'all' });
  const fence = Number((await lines.next()).value);
  const me = { id: 'me', description: 'this test', host: hostname(), pid: process.pid };
  expect(await folder.leases.acquire('all', me, 1000)).toMatchObject({
    acquired: false,
    holder: { description: 'a child', pid: child.pid },
  });
  child.kill('SIGKILL');
  await ended;
  expect(await folder.leases.acquire('all', me, 1000)).toMatchObject({ acquired: true, lease: { fence: fence + 1 } });
});

test('five processes that make the same folder at once all open it', async () => {
  const path = `${await dataPath()}/new`;
  const processes = Array.from({ length: 5 }, () => spawnDisk({ do: 'open', path, readOnly: false }));
  const said = await Promise.all(processes.map(async ({ lines }) => (await lines.next()).value as string));
  expect(said).toEqual(Array(5).fill('opened'));
  await Promise.all(processes.map((one) => one.ended));
});

test('a folder that another process makes while this one looks at it is opened', async () => {
  const path = await dataPath();
  let isMade = false;
  class Interrupted extends DatabaseSync {
    override prepare(text: string): StatementSync {
      const statement = super.prepare(text);
      const get = statement.get.bind(statement);
      return Object.assign(statement, {
        get() {
          const row = get();
          if (!isMade) openFolder(path);
          isMade = true;
          return row;
        },
      });
    }
  }
  const database = databaseOver(new Interrupted(join(path, 'mk8s.db')), path);
  onTestFinished(() => database.close());
  expect(isMade).toBe(true);
  expect(database.sql.prepare('PRAGMA user_version').get()).toEqual({ user_version: schemaVersion });
});

test('a new folder that another process keeps locked is told, not waited for', async () => {
  const path = await dataPath();
  const other = new DatabaseSync(join(path, 'mk8s.db'));
  onTestFinished(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  expect(() => openFolder(path)).toThrow(/another process keeps it locked/);
});

test('history follows an object across processes', async () => {
  const path = await dataPath();
  await spawnDisk({ do: 'append', path, plural: 'gadgets', batches: 144 }).ended;
  const folder = openFolder(path, { readOnly: true });
  const history = await collect(folder.log.revisionsOf(gadgets, objectKey('ns', 'o3')));
  expect(history.map((revision) => revision.resourceVersion)).toEqual(['1004', '504', '4']);
});

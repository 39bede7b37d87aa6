// Folders that are damaged, of another version, not ours, not permitted, or on a full disk.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { objectKey } from '../../../lib/model/revision.ts';
import { change, testStream } from '../../support/changes.ts';
import { spawnDisk } from '../../support/disk-process.ts';
import { append, dataPath, everything, openFolder } from './open-folder.ts';

const stream = testStream();
const isRoot = process.getuid?.() === 0;

/** Does something to the database file of a closed folder. */
function meddle(path: string, sql: string): void {
  // Not defensive: damage may concern the schema.
  const database = new DatabaseSync(join(path, 'mk8s.db'), { defensive: false });
  database.exec(sql);
  database.close();
}

async function filledFolder(objects = 300): Promise<string> {
  const path = await dataPath();
  const folder = openFolder(path);
  await append(
    folder,
    Array.from({ length: objects }, (_, i) => change(`o${i}`, i + 1)),
  );
  await folder.close();
  return path;
}

function errorOf(action: () => unknown): Mk8sError {
  try {
    action();
  } catch (error) {
    if (error instanceof Mk8sError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('permissions', () => {
  test('the folder and its files are for their owner only', async () => {
    const path = join(await dataPath(), 'deep', 'data');
    const folder = openFolder(path);
    await append(folder, [change('a', 1)]);
    const mode = (file: string) => (statSync(join(path, file)).mode & 0o777).toString(8);
    expect(mode('.')).toBe('700');
    expect(['mk8s.db', 'mk8s.db-wal', 'mk8s.db-shm'].map(mode)).toEqual(['600', '600', '600']);
  });

  test.skipIf(!isRoot && process.platform === 'win32')('a folder that may not be written says what to do', async () => {
    const path = await filledFolder();
    chmodSync(path, 0o555);
    chmodSync(join(path, 'mk8s.db'), 0o444);
    const { lines, ended } = spawnDisk({ do: 'open', path, readOnly: false }, isRoot ? 65_534 : undefined);
    expect((await lines.next()).value).toMatch(
      /^Cannot open the database in .*: it is read-only .* writable for this user/,
    );
    await ended;
    // Reading is possible still: nobody writes, so no shared memory is needed.
    const reader = spawnDisk({ do: 'open', path, readOnly: true }, isRoot ? 65_534 : undefined);
    expect((await reader.lines.next()).value).toBe('opened');
    await reader.ended;
    chmodSync(path, 0o700);
  });

  test('opened for reading it reads, and refuses to write', async () => {
    const path = await filledFolder();
    const folder = openFolder(path, { readOnly: true });
    expect(await folder.log.read(stream, 0, everything)).toHaveLength(300);
    const refusal = { code: 'storage', message: expect.stringContaining('opened for reading only') as string };
    await expect(append(folder, [change('b', 1)])).rejects.toMatchObject(refusal);
    await expect(folder.subscriptions.acknowledge('s', 1)).rejects.toMatchObject(refusal);
  });

  test('opened for reading it makes nothing, and says where a record would come from', async () => {
    const path = join(await dataPath(), 'absent');
    expect(errorOf(() => openFolder(path, { readOnly: true }))).toMatchObject({
      code: 'storage',
      message: expect.stringContaining('there is no record in it') as string,
    });
    expect(() => statSync(path)).toThrow('ENOENT');
  });

  test('a file where the folder should be is named', async () => {
    const path = join(await dataPath(), 'file');
    writeFileSync(path, 'x');
    for (const readOnly of [false, true]) {
      const error = errorOf(() => openFolder(path, { readOnly }));
      expect(error.code).toBe('storage');
      expect(error.message).toContain(path);
    }
  });
});

describe('version', () => {
  test.each([7, 0])('another version (%i) is refused, naming both', async (version) => {
    const path = await filledFolder();
    meddle(path, `PRAGMA user_version = ${version}`);
    for (const readOnly of [false, true]) {
      const error = errorOf(() => openFolder(path, { readOnly }));
      expect(error.code).toBe('storage');
      expect(error.message).toMatch(new RegExp(`version ${version}, and this mk8s reads version 2`));
    }
  });

  test("another program's database is left alone", async () => {
    const path = await dataPath();
    meddle(path, 'CREATE TABLE theirs (x)');
    const before = readFileSync(join(path, 'mk8s.db'));
    expect(errorOf(() => openFolder(path)).message).toContain('written by another program');
    expect(readFileSync(join(path, 'mk8s.db'))).toEqual(before);
  });
});

describe('damage', () => {
  test('a file that is no database', async () => {
    const path = await dataPath();
    writeFileSync(join(path, 'mk8s.db'), 'this is not a database, it is a sentence. '.repeat(200));
    const error = errorOf(() => openFolder(path));
    expect(error).toMatchObject({ code: 'storage', retryable: false });
    expect(error.message).toMatch(/it is damaged .* Restore it from a backup/);
  });

  test('a file that lost its second half', async () => {
    const path = await filledFolder(20_000);
    truncateSync(join(path, 'mk8s.db'), Math.floor(statSync(join(path, 'mk8s.db')).size / 2 / 4096) * 4096);
    const attempt = async () => {
      const folder = openFolder(path);
      for (let after = 0; ; ) {
        const page = await folder.log.read(stream, after, { changes: 1000, bytes: 1e9 });
        if (page.length === 0) return;
        after = page.at(-1)?.sequence ?? 0;
      }
    };
    await expect(attempt()).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining('it is damaged') as string,
    });
  });

  test('promise 1: a flipped byte gives an error or the true revisions, never others', async () => {
    const path = await filledFolder();
    const file = join(path, 'mk8s.db');
    const sound = readFileSync(file);
    const folder = openFolder(path, { readOnly: true });
    const truth = await folder.log.read(stream, 0, everything);
    await folder.close();
    let noticed = 0;
    // Every 401st byte behind the first page: pages of all tables and indices, frames' contents.
    for (let offset = 4096; offset < sound.length; offset += 401) {
      const damaged = Buffer.from(sound);
      damaged[offset] = (damaged[offset] ?? 0) ^ 0x41;
      rmSync(`${file}-wal`, { force: true });
      rmSync(`${file}-shm`, { force: true });
      writeFileSync(file, damaged);
      let reader: ReturnType<typeof openFolder> | undefined;
      try {
        reader = openFolder(path, { readOnly: true });
        const read = await reader.log.read(stream, 0, everything);
        expect(read).toEqual(truth);
      } catch (error) {
        expect(error).toMatchObject({ code: 'storage' });
        noticed += 1;
      } finally {
        await reader?.close();
      }
    }
    expect(noticed).toBeGreaterThan(5);
  });

  const first = objectKey('ns', 'o1');
  test.each<[string, string, (folder: ReturnType<typeof openFolder>) => Promise<unknown>]>([
    [
      'the resourceVersion of a last state',
      "UPDATE last_state SET rv = '9' WHERE key = 'ns/o1'",
      ({ log }) => log.lastState(stream, first),
    ],
    [
      'a last state, in a walk over all',
      "UPDATE last_state SET sequence = 9 WHERE key = 'ns/o1'",
      ({ log }) => log.lastStates(stream, undefined, 999),
    ],
    [
      'an object that lives, taken for deleted',
      "UPDATE last_state SET deleted = 1 WHERE key = 'ns/o1'",
      ({ log }) => log.lastStates(stream, undefined, 999),
    ],
    [
      'a last state that is out of sight',
      "DELETE FROM last_state WHERE key = 'ns/o1'",
      ({ log }) => log.lastStates(stream, undefined, 999),
    ],
    [
      'an object that is out of sight, where another is looked for',
      "DELETE FROM last_state WHERE key = 'ns/o1'",
      ({ log }) => log.lastState(stream, objectKey('ns', 'new')),
    ],
    ['where a stream stands', "UPDATE stream SET rv = '9'", ({ log }) => log.position(stream)],
    [
      'a checkpoint',
      "UPDATE stream SET checkpoint = replace(checkpoint, '300', '301')",
      ({ checkpoints }) => checkpoints.get(stream),
    ],
    ['where the log ends', 'UPDATE log SET position = 10', ({ feed }) => feed.head()],
    [
      'where a subscription stands',
      'UPDATE subscription SET position = 7',
      ({ subscriptions }) => subscriptions.get('s'),
    ],
    [
      'a frame that is missing, in its stream',
      'DELETE FROM frame WHERE id = 200',
      ({ log }) => log.read(stream, 0, everything),
    ],
    [
      'the last frame of a stream that is missing',
      'DELETE FROM frame WHERE id = 300',
      ({ log }) => log.read(stream, 0, everything),
    ],
    [
      'a frame that is missing, in the feed',
      'DELETE FROM frame WHERE id = 200',
      ({ feed }) => feed.read(0, { bytes: 1e9 }),
    ],
    [
      'the last frame of the feed that is missing',
      'DELETE FROM frame WHERE id = 300',
      ({ feed }) => feed.read(0, { bytes: 1e9 }),
    ],
    [
      'a frame at another place',
      'UPDATE frame SET id = 305 WHERE id = 300',
      ({ feed }) => feed.read(0, { bytes: 1e9 }),
    ],
    [
      'a frame that ends elsewhere',
      'UPDATE frame SET last_sequence = 310 WHERE id = 300',
      ({ log }) => log.read(stream, 0, everything),
    ],
  ])('promise 1: %s is noticed', async (_what, sql, read) => {
    const path = await filledFolder();
    const folder = openFolder(path);
    await folder.checkpoints.compareAndSet(stream, undefined, { epoch: 1, published: 300, fence: 1, updatedAt: 1 });
    await folder.subscriptions.acknowledge('s', 6);
    await read(folder);
    await folder.close();
    meddle(path, sql);
    const damaged = openFolder(path);
    await expect(read(damaged)).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringMatching(/it is damaged .*Restore it from a backup/) as string,
    });
  });

  test('promise 1: an index that has a frame at another place than its row is noticed, and not read for ever', async () => {
    const path = await filledFolder();
    const named =
      "SET sql = 'CREATE INDEX frame_of_stream ON frame (stream_id, last_sequence)%' WHERE name = 'frame_of_stream'";
    const schema = (index: string): string =>
      `PRAGMA writable_schema = ON; UPDATE sqlite_schema ${named.replace('%', index)}`;
    meddle(path, 'UPDATE frame SET last_sequence = 900 WHERE id = 100');
    // An index of nothing is not kept up with what changes.
    meddle(path, schema(' WHERE id < 0'));
    meddle(path, 'UPDATE frame SET last_sequence = 100 WHERE id = 100');
    meddle(path, schema(''));
    const damaged = openFolder(path);
    await expect(damaged.log.read(stream, 200, everything)).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringMatching(/it is damaged .*Restore it from a backup/) as string,
    });
  });

  test('a frame under the name of another stream is noticed', async () => {
    const path = await filledFolder(10);
    const folder = openFolder(path);
    await append(folder, [change('x', 1)], testStream('gadgets'));
    await folder.close();
    meddle(path, 'UPDATE frame SET data = (SELECT data FROM frame WHERE id = 10), size = 20000 WHERE id = 11');
    const reader = openFolder(path);
    await expect(reader.log.read(testStream('gadgets'), 0, everything)).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining('a frame of stream c-1/widgets.example.com') as string,
    });
    expect(await reader.log.read(stream, 0, everything)).toHaveLength(10);
  });
});

describe('a full disk', () => {
  /** A file system of 3 MiB, where this user may mount one. */
  const mountSmall = async (): Promise<string | undefined> => {
    const path = join(await dataPath(), 'small');
    mkdirSync(path);
    try {
      execFileSync('sh', ['-c', 'mount -t tmpfs -o size=3m tmpfs "$0"', path], { stdio: 'ignore' });
    } catch {
      return undefined;
    }
    onTestFinished(() => void execFileSync('sh', ['-c', 'umount -l "$0"', path]));
    return path;
  };
  const incompressible = (seed: number) =>
    change(`o${seed}`, seed, { object: crypto.getRandomValues(new Uint8Array(50_000)) });

  test('promise 4: recording stops with `full`, keeps what it has, and goes on when there is room', async (context) => {
    const path = await mountSmall();
    if (path === undefined) return context.skip('mounting a small file system needs root');
    writeFileSync(join(path, 'ballast'), Buffer.alloc(1_000_000));
    const folder = openFolder(path);
    let recorded = 0;
    const fill = async () => {
      for (let seed = 1; seed < 1000; seed++) {
        await append(folder, [incompressible(seed)]);
        recorded = seed;
      }
    };
    await expect(fill()).rejects.toMatchObject({
      code: 'full',
      retryable: true,
      message: expect.stringContaining('Make room') as string,
    });
    expect(recorded).toBeGreaterThan(5);
    // It says so each time, and reading goes on.
    await expect(append(folder, [incompressible(recorded + 1)])).rejects.toMatchObject({ code: 'full' });
    const before = await folder.log.read(stream, 0, everything);
    expect(before.map((revision) => revision.sequence)).toEqual(Array.from({ length: recorded }, (_, i) => i + 1));
    expect(await folder.log.position(stream)).toMatchObject({ sequence: recorded, objects: recorded });

    rmSync(join(path, 'ballast'));
    expect(await append(folder, [incompressible(recorded + 1)])).toMatchObject([{ sequence: recorded + 1 }]);
    await folder.close();
    const again = openFolder(path);
    expect(await again.log.read(stream, 0, everything)).toHaveLength(recorded + 1);
    expect(await again.log.lastState(stream, objectKey('ns', 'o1'))).toMatchObject({ sequence: 1 });
    await again.close();
  });
});

import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Feed } from '../../../lib/ports/feed.ts';
import { change, testStream } from '../../support/changes.ts';
import { type CommandLineOptions, recordedOutput, runCommand, streamStatus } from '../../support/command-line.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';

let data: string;
let store: MemoryStore;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'mk8s-tail-'));
  store = createMemoryStore(createManualClock());
});
afterEach(async () => {
  await rm(data, { recursive: true });
});

async function record(...names: string[]): Promise<void> {
  const position = await store.log.position(testStream());
  const changes = names.map((name, i) => change(name, 100 + position.sequence + i));
  await store.log.append(testStream(), { fence: 1, epoch: 1, changes });
}

interface Options extends CommandLineOptions {
  readonly feed?: Partial<Feed>;
}

async function tail(flags: string, { feed, ...options }: Options = {}) {
  const folder = { ...store, feed: { ...store.feed, ...feed } };
  return runCommand(`tail --data ${data} ${flags}`, { engine: { openFolder: async () => folder }, ...options });
}

/** Names in the order printed by `-o json`. */
function names(stdout: string): string[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { object: { metadata: { name: string } } }).object.metadata.name);
}

describe('what a tail shows', () => {
  test('a table has a row per change, under one heading', async () => {
    await record('a', 'b');
    const { code, stdout } = await tail('');
    const [heading, ...rows] = stdout.trimEnd().split('\n');
    expect(heading).toMatch(/^TIME +CLUSTER +TYPE +RESOURCE +NAMESPACE +NAME +BY$/);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatch(/^2026-01-01T00:00:00\.100Z +c-1 +update +widgets\.example\.com +ns +a +tester$/);
    expect(code).toBe(0);
  });

  test('json is the object as recorded in a small envelope, a line each', async () => {
    await record('a');
    await store.status.write({ run: 'x', startedAt: 0, updatedAt: 0, running: true, problems: [] }, [
      streamStatus('widgets', 'prod', { stream: testStream() }),
    ]);
    const { stdout } = await tail('-o json');
    expect(JSON.parse(stdout)).toEqual({
      position: 1,
      sequence: 1,
      previous: 0,
      epoch: 1,
      time: '2026-01-01T00:00:00.100Z',
      type: 'update',
      origin: 'watch',
      cluster: 'c-1',
      clusterName: 'prod',
      resource: 'widgets.example.com',
      resourceVersion: '100',
      manager: 'tester',
      object: { metadata: { name: 'a', uid: 'uid-a', resourceVersion: '100' }, spec: { é: 100 } },
    });
  });

  test('cloudevents are structured CloudEvents', async () => {
    await record('a');
    const { stdout } = await tail('-o cloudevents');
    expect(JSON.parse(stdout)).toMatchObject({
      specversion: '1.0',
      type: 'dev.knative.apiserver.resource.update',
      cluster: 'c-1',
      data: { metadata: { name: 'a' } },
    });
  });

  test('a name with control characters cannot steer the terminal', async () => {
    await record('a\u001b[2Jb');
    const { stdout } = await tail('');
    expect(stdout).not.toContain('\u001b');
  });

  test('--where and --limit choose', async () => {
    await record('a', 'b', 'a', 'a');
    expect(names((await tail('-o json --where name=a --limit 2')).stdout)).toEqual(['a', 'a']);
  });

  test('a cluster is found by its name also where the name becomes known only while reading', async () => {
    await record('a');
    const row = streamStatus('widgets', 'prod', { stream: testStream() });
    const read: Feed['read'] = async (...args) => {
      const page = await store.feed.read(...args);
      await store.status.write({ run: 'x', startedAt: 0, updatedAt: 0, running: true, problems: [] }, [row]);
      return page;
    };
    expect(names((await tail('-o json --where cluster=prod', { feed: { read } })).stdout)).toEqual(['a']);
  });
});

describe('where a tail begins', () => {
  test('without a subscription and without --follow: at the beginning', async () => {
    await record('a', 'b');
    expect(names((await tail('-o json')).stdout)).toEqual(['a', 'b']);
  });

  test('with --follow: now', async () => {
    await record('a');
    const followed = tail('-o json --follow --limit 1', {
      feed: {
        changed: async () => record('b'),
      },
    });
    expect(names((await followed).stdout)).toEqual(['b']);
  });

  test('--from takes a time, and how long ago', async () => {
    await record('a', 'b');
    const at = new Date(Date.UTC(2026, 0, 1) + 101).toISOString();
    expect(names((await tail(`-o json --from ${at}`)).stdout)).toEqual(['b']);
    expect(names((await tail('-o json --from 101ms', { now: Date.UTC(2026, 0, 1) + 202 })).stdout)).toEqual(['b']);
  });

  test('--from refuses what is neither', async () => {
    const { code, stderr } = await tail('--from yesterday');
    expect(code).toBe(2);
    expect(stderr).toContain('not "yesterday"');
  });
});

describe('subscriptions', () => {
  test('a new one begins at the beginning and the next tail continues after it', async () => {
    await record('a', 'b');
    expect(names((await tail('-o json --subscription s')).stdout)).toEqual(['a', 'b']);
    await record('c');
    expect(names((await tail('-o json --subscription s')).stdout)).toEqual(['c']);
    expect((await tail('-o json --subscription s')).stdout).toBe('');
  });

  test('a new one from now is stored though nothing came', async () => {
    await record('a');
    await tail('--subscription s --from now');
    await record('b');
    expect(names((await tail('-o json --subscription s')).stdout)).toEqual(['b']);
  });

  test('--from leaves an existing one where it is and says so; --rewind moves it', async () => {
    await record('a', 'b');
    await tail('--subscription s');
    const kept = await tail('-o json --subscription s --from beginning');
    expect([kept.stdout, kept.code]).toEqual(['', 0]);
    expect(kept.stderr).toContain('Add --rewind');
    const moved = await tail('-o json --subscription s --from beginning --rewind');
    expect(names(moved.stdout)).toEqual(['a', 'b']);
    expect(moved.stderr).toContain('was moved from position 2 to 0');
  });

  test('--limit acknowledges only what was shown', async () => {
    await record('a', 'b', 'c');
    await tail('--subscription s --limit 2');
    expect(names((await tail('-o json --subscription s')).stdout)).toEqual(['c']);
  });

  test('what the reader did not take is not acknowledged', async () => {
    await record('a', 'b');
    const gone = await tail('--subscription s', { stdout: recordedOutput({ readsOnly: 0 }) });
    expect([gone.code, gone.stderr]).toEqual([0, '']);
    expect((await store.subscriptions.get('s'))?.position).toBe(0);
  });

  test('promise 4: nothing is acknowledged before it was written', async () => {
    await record('a', 'b');
    const order: string[] = [];
    const stdout = recordedOutput();
    const spied = {
      ...stdout,
      write: async (chunk: string | Uint8Array) => {
        await stdout.write(chunk);
        order.push('written');
      },
    };
    const acknowledge = store.subscriptions.acknowledge.bind(store.subscriptions);
    store.subscriptions.acknowledge = async (...args) => {
      order.push(`acknowledged ${args[1]}`);
      return acknowledge(...args);
    };
    await tail('--subscription s', { stdout: spied });
    expect(order).toEqual(['acknowledged 0', 'written', 'acknowledged 2']);
  });

  test('changes that the filter left out are acknowledged too', async () => {
    await record('a', 'b');
    await tail('--subscription s --where name=a');
    expect((await store.subscriptions.get('s'))?.position).toBe(2);
  });

  test('Ctrl-C ends a follower in order, with its place kept', async () => {
    await record('a');
    const signals = new EventEmitter();
    const followed = await tail('-o json --subscription s --follow', {
      signals,
      feed: {
        changed: async (position, signal) => {
          signals.emit('SIGINT');
          return store.feed.changed(position, signal);
        },
      },
    });
    expect([followed.code, names(followed.stdout)]).toEqual([0, ['a']]);
    expect((await store.subscriptions.get('s'))?.position).toBe(1);
  });

  test('promise 10: what retention removed unread is said with numbers, and the tail goes on', async () => {
    await record('a', 'b');
    await tail('--subscription s');
    await record('c', 'd', 'e');
    const { stderr, stdout, code } = await tail('-o json --subscription s', {
      feed: { tail: async () => 4, thinned: async () => 4 },
    });
    expect(stderr).toMatch(
      /Retention removed changes that subscription "s" had not read.*position 2.*up to 4.*Up to 2 changes/,
    );
    expect([names(stdout), code]).toEqual([['e'], 0]);
  });

  test.each(['--limit 0', '--subscription a,b', '--rewind', '--rewind --subscription s'])(
    '%s is refused',
    async (flags) => {
      expect((await tail(flags)).code).toBe(2);
    },
  );
});

test('a folder that is not there is an error that says what to do, and is not made', async () => {
  const { code, stderr } = await runCommand('tail --data no/such', { cwd: data, engine: {} });
  expect(code).toBe(1);
  expect(stderr).toBe(
    `error: Cannot tail the feed: there is no data folder ${join(data, 'no/such')}. Start \`mk8s run\` with it first, or name another by --data.\n`,
  );
});

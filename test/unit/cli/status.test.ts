import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunStatus } from '../../../lib/ports/status-store.ts';
import { runCommand, streamStatus, testNow } from '../../support/command-line.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';

let data: string;
let store: MemoryStore;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'mk8s-status-'));
  store = createMemoryStore(createManualClock());
});
afterEach(async () => {
  await rm(data, { recursive: true });
});

const alive: RunStatus = {
  run: 'laptop, pid 4711',
  startedAt: testNow - 120_000,
  updatedAt: testNow - 1000,
  running: true,
  problems: [],
};

async function status(flags = '') {
  return runCommand(`status --data ${data} ${flags}`, { engine: { openStatus: async () => store } });
}

describe('who runs', () => {
  test.each([
    [alive, 'Running: laptop, pid 4711, for 2m.'],
    [
      { ...alive, updatedAt: testNow - 60_000 },
      'Not running: laptop, pid 4711 was last heard of 1m ago and did not end in order',
    ],
    [{ ...alive, running: false }, 'Not running: laptop, pid 4711 ended in order 1s ago.'],
  ])('%#: %s', async (run, expected) => {
    await store.status.write(run, []);
    expect((await status()).stdout).toContain(expected);
  });

  test('a folder without a run says so', async () => {
    const { stdout, code } = await status();
    expect(stdout).toContain('No run has written its status yet.');
    expect(stdout).toContain('No stream has a record yet.');
    expect(code).toBe(0);
  });
});

describe('streams', () => {
  test('promise 10: a row has state, epoch, version, sequence numbers, lag, bookmark and gaps', async () => {
    const gapped = streamStatus('widgets', 'prod', {
      epoch: 2,
      recorded: 1234,
      published: 1200,
      gaps: 1,
      lastGapAt: testNow - 60_000,
    });
    await store.status.write(alive, [gapped]);
    const [heading, row] = (await status()).stdout.split('\n').slice(2);
    expect(heading).toMatch(
      /^CLUSTER +RESOURCE +STATE +OBJECTS +EPOCH +VERSION +RECORDED +PUBLISHED +LAG +BOOKMARK +GAPS$/,
    );
    expect(row).toMatch(/^prod +widgets\.example\.com +watching +7 +2 +1000 +1,234 +1,200 +2s +30s ago +1 \(1m ago\)$/);
  });

  test('a stream that never synced has dashes, and one with a selector shows it', async () => {
    const stream = streamStatus('widgets', 'prod', {
      state: 'starting',
      resourceVersion: '',
      currentAt: 0,
      lastBookmarkAt: 0,
    });
    const selected = { ...stream, stream: { ...stream.stream, selector: { namespace: 'ns', labelSelector: 'a=b' } } };
    await store.status.write(alive, [selected]);
    expect((await status()).stdout).toMatch(
      /widgets\.example\.com \(namespace ns, a=b\) +starting +7 +1 +- +10 +10 +- +- +0\n/,
    );
  });

  test('last errors are listed whole, and dead letters are counted with the last few', async () => {
    await store.status.write({ ...alive, problems: [{ source: 'kubeconfig', message: 'context "x" is odd' }] }, [
      streamStatus('widgets', 'prod', { state: 'parked', error: 'Cannot watch: 403', errorAt: testNow - 5000 }),
    ]);
    for (let sequence = 1; sequence <= 7; sequence++) {
      await store.deadLetters.put({
        sink: 'https://hook',
        stream: 'id/widgets.example.com',
        sequence,
        id: `id-${sequence}`,
        reason: '400 Bad Request',
        at: testNow - 1000,
      });
    }
    const { stdout } = await status();
    expect(stdout).toMatch(/LAST ERROR\nprod +widgets\.example\.com +5s ago +Cannot watch: 403\n/);
    expect(stdout).toContain('7 changes were refused by a sink for good');
    expect(stdout.match(/400 Bad Request/g)).toHaveLength(5);
    expect(stdout).toContain('Warning: context "x" is odd');
  });

  test('json has every field, the lag in seconds, and whether the run is alive', async () => {
    await store.status.write(alive, [
      streamStatus('widgets', 'prod'),
      streamStatus('gadgets', 'prod', { currentAt: 0 }),
    ]);
    const shown = JSON.parse((await status('-o json')).stdout) as { streams: unknown[] };
    expect(shown).toMatchObject({ alive: true, run: { run: 'laptop, pid 4711' }, deadLetters: { count: 0, last: [] } });
    expect(shown.streams).toEqual([
      expect.objectContaining({ resource: 'gadgets.example.com', lagSeconds: null }),
      expect.objectContaining({
        ...streamStatus('widgets', 'prod'),
        key: 'id-prod/widgets.example.com',
        cluster: 'id-prod',
        lagSeconds: 2,
      }),
    ]);
  });
});

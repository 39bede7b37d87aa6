import { describe, expect, test } from 'vitest';
import { widthOf } from '../../../lib/cli/text/width.ts';
import { sampleOf, sampleWindow } from '../../../lib/cli/view/rates.ts';
import { type RenderOptions, renderRun } from '../../../lib/cli/view/render-run.ts';
import type { RunSnapshot } from '../../../lib/compose.ts';
import type { ClusterInfo } from '../../../lib/model/cluster.ts';
import { clusterId } from '../../../lib/model/stream.ts';
import { streamStatus, testNow } from '../../support/command-line.ts';

function cluster(name: string, options: Partial<ClusterInfo> = {}): ClusterInfo {
  return {
    id: clusterId(`id-${name}`),
    name,
    aliases: [],
    sources: ['kubeconfig'],
    server: `https://${name}:6443`,
    namespace: 'default',
    isDefault: false,
    version: 'v1.36.2',
    ...options,
  };
}

function snapshot(options: Partial<RunSnapshot> = {}): RunSnapshot {
  return {
    phase: 'running',
    sandbox: false,
    startedAt: testNow - 192_000,
    clusters: [cluster('one', { isDefault: true })],
    streams: [streamStatus('widgets', 'one')],
    problems: [],
    recorded: 1200,
    published: 1199,
    caughtUp: 0,
    ...options,
  };
}

function render(options: Partial<RunSnapshot> = {}, more: Partial<RenderOptions> = {}): string {
  return renderRun(snapshot(options), undefined, {
    width: 120,
    height: 30,
    now: testNow,
    color: false,
    data: '.mk8s',
    ...more,
  });
}

function lineWith(frame: string, part: string): string {
  return frame.split('\n').find((line) => line.includes(part)) ?? `no line with ${part}`;
}

describe('the view of a run', () => {
  test('the header says phase, totals, how long, where the data is and how to read it', () => {
    const frame = render({ caughtUp: 30, sandbox: true });
    expect(frame).toContain('mk8s running (sandbox)');
    expect(render({ sandbox: true }, { isFallback: true })).toContain('(no cluster was found: sandbox)');
    expect(frame).toContain('1 cluster · 1 stream · 7 objects · 3m12s');
    expect(frame).toContain('recorded 1,200 · published 1,199 · caught up 30 · data .mk8s');
    expect(frame).toContain('mk8s tail --follow');
  });

  test('another data folder is in the command that reads it, quoted where a shell needs it', () => {
    expect(render({}, { data: '/x/feed' })).toContain('mk8s tail --follow --data /x/feed');
    expect(render({}, { data: "a 'b'" })).toContain(String.raw`--data 'a '\''b'\'''`);
  });

  test('a cluster has a line, and each of its streams a row with state, objects, lag and last bookmark', () => {
    const frame = render();
    expect(lineWith(frame, 'https://one')).toMatch(/^one \(default\) {2}v1\.36\.2 {2}https:\/\/one:6443$/);
    expect(lineWith(frame, 'widgets.example.com')).toMatch(/^ {2}widgets\.example\.com +watching +7 +- +2s +30s ago$/);
  });

  test('changes per second are counted from a sample some seconds old', () => {
    const before = sampleOf(
      snapshot({ recorded: 1000, streams: [streamStatus('widgets', 'one', { recorded: 0 })] }),
      testNow - 5000,
    );
    const frame = renderRun(snapshot(), before, { width: 120, height: 30, now: testNow, color: false, data: '.mk8s' });
    expect(frame).toContain('40.0 changes/s');
    expect(lineWith(frame, 'widgets.example.com')).toMatch(/watching +7 +2\.0 /);
  });

  test('a first sync shows a bar where the total is known, else a count', () => {
    const bar = render({
      streams: [streamStatus('widgets', 'one', { state: 'syncing', synced: { done: 1500, total: 3000 } })],
    });
    expect(lineWith(bar, 'widgets')).toMatch(/syncing +\[#{12}-{12}\] 1,500 of 3,000$/);
    const counted = render({ streams: [streamStatus('widgets', 'one', { state: 'syncing', synced: { done: 1500 } })] });
    expect(lineWith(counted, 'widgets')).toMatch(/syncing +1,500 objects so far$/);
    expect(counted).toContain('1 stream (1 syncing)');
  });

  test('errors are below all streams, whole, on as many lines as they need', () => {
    const error =
      'Cannot watch widgets in cluster "one": 403 Forbidden: user "me" may not watch widgets; trying again in 5m';
    const streams = [streamStatus('widgets', 'one', { state: 'parked', error })];
    expect(render({ streams }, { width: 140 }).split('\n').at(-1)).toBe(`! ${error}`);
    const narrow = render({ streams }, { width: 60 }).split('\n').slice(-2);
    expect(narrow.map((line) => line.trim()).join(' ')).toBe(`! ${error}`);
  });

  test('what a sink does not take is shown while its stream watches, and counted where it is blocked', () => {
    const error = 'Cannot publish to https://hook: it answered 302';
    const watching = render({ streams: [streamStatus('widgets', 'one', { error })] });
    expect(watching).toContain(`! ${error}`);
    const blocked = render({ streams: [streamStatus('widgets', 'one', { state: 'blocked', error })] });
    expect(lineWith(blocked, 'widgets')).toMatch(/blocked/);
    expect(blocked).toContain('1 stream (1 blocked)');
    expect(blocked).toContain(`! ${error}`);
  });

  test('a cluster that is not reached says so once, with the reason; problems and messages come last', () => {
    const frame = render(
      {
        clusters: [cluster('two', { error: 'connection refused' })],
        streams: [streamStatus('widgets', 'two', { state: 'retrying', error: 'connection refused again' })],
        problems: [{ source: 'kubeconfig', message: 'context "x" has no cluster' }],
      },
      { messages: ['relisting widgets'] },
    );
    expect(lineWith(frame, 'https://two')).toContain('not reached');
    expect(frame.split('\n').slice(-3)).toEqual([
      '! two: connection refused',
      '! context "x" has no cluster',
      'relisting widgets',
    ]);
  });

  test('while discovering there is nothing to show yet, and it says so', () => {
    expect(render({ phase: 'discovering', clusters: [], streams: [] })).toContain('Looking for clusters');
  });

  test('streams whose cluster left the inventory are still shown', () => {
    expect(render({ clusters: [] })).toContain('widgets.example.com');
  });

  test('text from elsewhere cannot steer the terminal', () => {
    const evil = 'a\u001b[2J\u0007\u202eb';
    const frame = render({
      clusters: [cluster(evil, { error: evil })],
      problems: [{ source: 'x', message: evil }],
      streams: [streamStatus('widgets', 'one', { clusterName: evil, state: 'parked', error: evil })],
    });
    expect(frame.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  });

  test('colours add nothing but colours', () => {
    const options = { streams: [streamStatus('widgets', 'one', { state: 'parked' as const, error: 'denied' })] };
    // oxlint-disable-next-line no-control-regex -- colours are control characters
    expect(render(options, { color: true }).replace(/\u001b\[\d+m/g, '')).toBe(render(options));
    expect(render(options, { color: true })).not.toBe(render(options));
  });
});

describe('small terminals', () => {
  const clusters = ['one', 'two', 'three'].map((name) => cluster(name));
  const many = clusters.flatMap(({ name }) =>
    Array.from({ length: 20 }, (_, i) => streamStatus(`resource${String(i).padStart(2, '0')}`, name, { recorded: i })),
  );
  const streams = many.map((status, i) =>
    i === 33 ? { ...status, state: 'retrying' as const, error: 'connection refused' } : status,
  );
  const problems = Array.from({ length: 10 }, (_, i) => ({ source: 'x', message: `problem ${i}` }));

  const sizes = [1, 2, 5, 20, 40, 80, 200].flatMap((width) =>
    [1, 2, 3, 4, 5, 8, 10, 24, 50, 100].map((height) => [width, height] as const),
  );
  test.each(sizes)('%d columns and %d rows are never exceeded', (width, height) => {
    const lines = render({ clusters, streams, problems }, { width, height, color: false }).split('\n');
    expect(lines.length).toBeLessThanOrEqual(height);
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(width);
  });

  test('quiet streams fold into "+N more"; the one in trouble stays, and every stream is accounted for', () => {
    const frame = render({ clusters, streams }, { height: 24 });
    expect(lineWith(frame, 'retrying  ')).toContain('resource13');
    const hidden = [...frame.matchAll(/\+(\d+) more, watching/g)].reduce((sum, match) => sum + Number(match[1]), 0);
    const shown = frame.split('\n').filter((line) => /^ {2}resource/.test(line)).length;
    expect(hidden + shown).toBe(60);
    expect(shown).toBeGreaterThan(5);
  });

  test('clusters that have no line of their own are counted', () => {
    const fleet = Array.from({ length: 50 }, (_, i) => cluster(`c${i}`, i === 49 ? { error: 'refused' } : {}));
    const frame = render({ clusters: fleet, streams: [] }, { height: 20 });
    const shown = frame.split('\n').filter((line) => line.includes('https://')).length;
    expect(frame).toContain(`+${50 - shown} more`);
    expect(shown).toBeGreaterThan(5);
    expect(frame).toContain('https://c49:6443  not reached');
  });

  test('a narrow terminal keeps names and states before numbers', () => {
    const frame = render({}, { width: 40 });
    expect(lineWith(frame, 'widgets')).toMatch(/^ {2}widgets\.example\.com +watching/);
  });

  test('wide characters count as two columns', () => {
    const lines = render({ clusters: [cluster('集群集群集群集群集群集群')] }, { width: 20 }).split('\n');
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(20);
    expect(widthOf('集群')).toBe(4);
  });
});

test('the sample to compare with is about five seconds old', () => {
  const window = sampleWindow();
  for (let at = 0; at <= 20_000; at += 250) window.add({ at, recorded: 0, byStream: new Map() });
  expect(window.before()?.at).toBe(15_000);
});

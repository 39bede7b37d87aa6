// The soak's judgement: that its subscriber sees what is wrong, and that its summary tells a leak from level ground.
import { describe, expect, test } from 'vitest';
import { type SoakRun, summarize } from '../../../bench/soak-report.ts';
import type { Sample } from '../../../bench/soak-samples.ts';
import { type Arrival, createSubscriber, differences, objectHash, stateKey } from '../../../bench/soak-state.ts';

function arrival(version: number, more: Partial<Arrival> = {}): Arrival {
  const object = JSON.stringify({ metadata: { name: 'a', resourceVersion: String(version) }, spec: { at: 1000 } });
  const name = { cluster: 'c', resource: 'widgets.example.com', namespace: 'ns', name: 'a' };
  const change = { id: `id-${version}`, type: 'x.update', resourceVersion: String(version), epoch: 1, origin: 'watch' };
  return { ...name, ...change, object, ...more };
}

const key = stateKey('c', 'widgets.example.com', 'ns', 'a');
const hashOf = ({ object }: Arrival): string => objectHash(JSON.parse(object) as object);

describe('the subscriber of a soak', () => {
  const subscriber = () => createSubscriber('tail', () => 1040);

  test('knows the last state of every object, whatever the order of its keys, without managedFields', () => {
    const feed = subscriber();
    feed.add(arrival(1));
    feed.add(arrival(2));
    const server = { spec: { at: 1000 }, metadata: { resourceVersion: '2', managedFields: [{}], name: 'a' } };
    expect(differences('tail', feed.state(), new Map([[key, objectHash(server)]]))).toEqual([]);
    feed.add(arrival(3, { type: 'x.delete' }));
    expect(feed.state().size).toBe(0);
    expect([feed.counts.events, feed.takeLags(), feed.takeLags()]).toEqual([3, [40, 40], []]);
  });

  test('promise 1: says what is missing, different, or should be gone', () => {
    const feed = subscriber();
    feed.add(arrival(1));
    const servers = (version: number) => new Map([[key, hashOf(arrival(version))]]);
    expect(differences('tail', feed.state(), servers(2))).toEqual([`tail: ${key} differs`]);
    expect(differences('tail', new Map(), servers(1))).toEqual([`tail: ${key} is on the server, not in the feed`]);
    expect(differences('tail', feed.state(), new Map())).toEqual([`tail: ${key} is in the feed, not on the server`]);
  });

  test('promise 2: takes a change that comes again for that, and an older one under a new id for a fault', () => {
    const feed = subscriber();
    for (const version of [1, 2, 1]) feed.add(arrival(version));
    expect([feed.counts.redelivered, feed.faults]).toEqual([1, []]);
    feed.add(arrival(1, { id: 'other' }));
    expect(feed.faults).toEqual([`tail: x.update of ${key} at 1/1 came after 1/2`]);
    feed.add(arrival(1, { id: 'next epoch', epoch: 2 }));
    expect(feed.faults).toHaveLength(1);
  });
});

test('the summary gives the slope of memory by least squares, after the warm-up', () => {
  const process = (rss: number) => ({ rss, peak: 500, cpu: 1, fds: 9 });
  const samples = Array.from({ length: 720 }, (_, index): Sample => {
    const seconds = index * 10;
    // A climb while it warms up, then 36 MiB an hour for the bridge and level ground for the tail.
    const rss = seconds < 900 ? seconds : 900 + seconds / 100;
    const counts = { written: seconds * 100, tailed: 0, received: 0, redelivered: 0, relisted: 0 };
    const processes = { bridge: process(rss), tail: process(100), servers: process(1), soak: process(1) };
    return { seconds, at: '', ...processes, ...counts, data: 5, load: 1 };
  });
  const machine = { startedAt: 'then', commit: 'abc', node: 'v24', machine: '2 cores' };
  const run: SoakRun = { ...machine, rate: 100, clusters: 3, objects: 10, faults: [] };
  const ended = { ...run, end: { why: 'the time was over', objects: 1, problems: ['tail: a differs'] } };
  const text = summarize(ended, samples).join('\n');
  expect(text).toContain('RSS of bridge: 909.0 / 940.5 / 971.9 MiB, slope +36.00 MiB/hour');
  expect(text).toContain('RSS of tail: 100.0 / 100.0 / 100.0 MiB, slope +0.00 MiB/hour');
  expect(text).toContain('NOT as promised:\n  tail: a differs');
});

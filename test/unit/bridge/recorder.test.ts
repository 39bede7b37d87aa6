// What a watch hands out, as revisions in the log: origins, order, and what is not recorded.
import { describe, expect, test } from 'vitest';
import { createRecorder, type RecorderOptions } from '../../../lib/bridge/recorder.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import type { Revision, ScannedObject } from '../../../lib/model/revision.ts';
import type { RevisionLog } from '../../../lib/ports/revision-log.ts';
import type { WatchOutput } from '../../../lib/watch/watch-context.ts';
import { change, testStream } from '../../support/changes.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { changesOf } from '../../support/scripted-bridge.ts';
import { createScriptedClock, type ScriptedClock, settle } from '../../support/scripted-clock.ts';

const stream = testStream();
const rv = resourceVersion;
const object = (name: string, version: number, spec = version): ScannedObject =>
  change(name, version, {
    namespace: '',
    object: JSON.stringify({ metadata: { name, resourceVersion: String(version) }, spec }),
  });
const events = (...given: [type: 'ADDED' | 'MODIFIED' | 'DELETED', object: ScannedObject][]): WatchOutput => ({
  kind: 'events',
  events: given.map(([type, each]) => ({ type, object: each })),
  resourceVersion: given.at(-1)?.[1].resourceVersion ?? rv('0'),
});
const sync = (reason: 'first' | 'gap', ordered: boolean): WatchOutput => ({ kind: 'sync', reason, epoch: 1, ordered });
const listed = (...objects: ScannedObject[]): WatchOutput => ({ kind: 'listed', objects, again: false });
const synced = (version: string): WatchOutput => ({ kind: 'synced', asOf: rv(version), resourceVersion: rv(version) });

async function world({
  clock = createScriptedClock(),
  ...more
}: Partial<RecorderOptions> & { clock?: ScriptedClock } = {}) {
  const store = createMemoryStore(clock);
  const recorded: Revision[] = [];
  const problems: (string | undefined)[] = [];
  const recorder = createRecorder({
    stream,
    fence: 1,
    log: store.log,
    position: { epoch: 1, sequence: 0, objects: 0 },
    redact: undefined,
    ignoreNoop: false,
    clock,
    random: () => 0.5,
    signal: new AbortController().signal,
    onRecorded: (revisions) => void recorded.push(...revisions),
    onEpoch: () => undefined,
    onProblem: (problem) => void problems.push(problem),
    ...more,
  });
  return {
    clock,
    store,
    recorded,
    problems,
    recorder,
    take: async (...outputs: WatchOutput[]): Promise<void> => {
      for (const output of outputs) await settle(recorder.take(output), clock);
    },
    position: () => store.log.position(stream),
  };
}

describe('a recorder', () => {
  test('promise 10: marks a first sync as snapshot, what a gap hid as relist, and live events as watch', async () => {
    const { take, recorded } = await world();
    await take(sync('first', false), listed(object('a', 5), object('b', 6)), synced('9'));
    await take(events(['MODIFIED', object('a', 10)]));
    await take(sync('gap', true), listed(object('a', 12)), synced('20'));
    expect(recorded.map(({ type, name, origin }) => `${type} ${name} ${origin}`)).toEqual([
      'add a snapshot',
      'add b snapshot',
      'update a watch',
      'update a relist',
      'delete b relist',
    ]);
  });

  test('promise 4: nothing is known up to a resourceVersion before the first sync is complete', async () => {
    const { take, position } = await world();
    await take(sync('first', false), listed(object('a', 5)));
    expect((await position()).resourceVersion).toBeUndefined();
    await take(synced('9'));
    expect((await position()).resourceVersion).toBe('9');
    await take({ kind: 'bookmark', resourceVersion: rv('15') }, { kind: 'bookmark', resourceVersion: rv('12') });
    expect((await position()).resourceVersion).toBe('15');
  });

  test('promise 7: buries what a page misses when the page ends, not only at the end of the list', async () => {
    const { clock, take, recorded } = await world();
    await take(sync('first', false), listed(object('a', 1), object('b', 2), object('c', 3)), synced('9'));
    await take(sync('gap', true), listed(object('c', 3)));
    const many = Array.from({ length: 100 }, (_, n) => object(`d${String(n).padStart(3, '0')}`, 10 + n));
    await take({ kind: 'page', asOf: rv('20') }, listed(...many));
    expect(changesOf(recorded).slice(3, 6)).toEqual(['delete a@1', 'delete b@2', 'add d000@10']);
    await take({ kind: 'page', asOf: rv('20') }, listed(object('f', 130)));
    clock.set(1_000);
    await take({ kind: 'page', asOf: rv('20') });
    expect(changesOf(recorded).at(-1)).toBe('add f@130');
  });

  test('promise 7: records what a comparison finds a hundred at a time, and no more than a second after it was found', async () => {
    const appends: number[] = [];
    const clock = createScriptedClock();
    const { log } = createMemoryStore(clock);
    const counting: RevisionLog = {
      ...log,
      append(ref, batch) {
        if (batch.changes.length > 0) appends.push(batch.changes.length);
        return log.append(ref, batch);
      },
    };
    const { take } = await world({ clock, log: counting });
    await take(sync('first', false), listed(object('a', 1)), synced('9'));
    await take(sync('gap', true), listed(object('a', 1)));
    for (let n = 0; n < 250; n++) await take(listed(object(`b${String(n).padStart(3, '0')}`, 10 + n)));
    expect(appends).toEqual([1, 100, 100]);
    clock.set(1_000);
    await take(listed(object('c', 400)), listed(object('d', 401)), synced('500'));
    expect(appends).toEqual([1, 100, 100, 51, 1]);
  });

  test('promise 1: what a comparison found is recorded though it is interrupted, and begun anew', async () => {
    const { take, recorded } = await world();
    await take(sync('first', false), listed(object('a', 1), object('b', 2)), synced('9'));
    const bytes = Buffer.from(object('a', 12).object);
    await take(sync('gap', true), listed({ ...object('a', 12), object: bytes }));
    // As the reader of the next chunk does.
    bytes.fill(0);
    await take(sync('gap', true), listed(object('a', 12)), synced('20'));
    expect(changesOf(recorded)).toEqual(['add a@1', 'add b@2', 'update a@12', 'delete b@2']);
    expect(Buffer.from(recorded[2]?.object ?? []).toString()).toBe(Buffer.from(object('a', 12).object).toString());
  });

  test('promise 2: what is told twice is recorded once', async () => {
    const { take, recorded } = await world();
    await take(sync('first', false), listed(object('a', 5)), listed(object('a', 5)), synced('9'));
    await take(events(['ADDED', object('a', 5)], ['MODIFIED', object('a', 10)]), events(['MODIFIED', object('a', 10)]));
    expect(changesOf(recorded)).toEqual(['add a@5', 'update a@10']);
  });

  test('leaves out what alters nothing where asked to, but knows the stream up to it', async () => {
    const { take, recorded, position } = await world({ ignoreNoop: true });
    await take(sync('first', false), listed(object('a', 5, 1)), synced('9'));
    await take(
      events(['MODIFIED', object('a', 10, 1)], ['MODIFIED', object('a', 11, 2)], ['MODIFIED', object('a', 12, 2)]),
    );
    await take(events(['DELETED', object('a', 13, 2)], ['ADDED', { ...object('a', 14, 2), uid: 'new' }]));
    expect(changesOf(recorded)).toEqual(['add a@5', 'update a@11', 'delete a@13', 'add a@14']);
    await take(events(['MODIFIED', { ...object('a', 20, 2), uid: 'new' }]));
    expect((await position()).resourceVersion).toBe('20');
  });

  test('waits while the disk is full, says so once it works again, and loses nothing', async () => {
    const inner = createMemoryStore(createScriptedClock()).log;
    let refusals = 3;
    const log: typeof inner = {
      ...inner,
      append: (...given) =>
        (refusals -= 1) >= 0
          ? Promise.reject(new Mk8sError('full', { code: 'full', retryable: true }))
          : inner.append(...given),
    };
    const { take, recorded, problems } = await world({ log });
    await take(sync('first', false), listed(object('a', 5)));
    expect(changesOf(recorded)).toEqual(['add a@5']);
    expect(problems).toEqual(['full', 'full', 'full', undefined]);
  });

  test('promise 4: what a failed attempt recorded all the same is handed on by the next one', async () => {
    const { store, clock } = await world();
    const attempts = { left: 1 };
    const log: RevisionLog = {
      ...store.log,
      async append(ref, batch) {
        const revisions = await store.log.append(ref, batch);
        attempts.left -= 1;
        if (attempts.left >= 0) throw new Mk8sError('no answer came in time', { code: 'storage', retryable: true });
        return revisions;
      },
    };
    const { take, recorded } = await world({ log, clock });
    await take(events(['ADDED', object('a', 5)]), events(['ADDED', object('b', 6)]));
    expect(recorded.map(({ sequence, name }) => `${sequence} ${name}`)).toEqual(['1 a', '2 b']);
  });

  test('promise 6: a displaced owner is not retried', async () => {
    const { store, take } = await world();
    await store.log.append(stream, { fence: 2, epoch: 1, changes: [] });
    await expect(take(sync('first', false), listed(object('a', 5)))).rejects.toMatchObject({ code: 'fenced' });
  });

  test('promise 10: says that the cluster went back where a comparison meets an object older than its record', async () => {
    const { clock, take, recorder } = await world();
    await take(sync('first', false), listed(object('a', 50)), synced('60'));
    await take(sync('gap', true));
    expect(await settle(recorder.take(listed(object('a', 40))), clock)).toBe('went back');
  });

  test('promise 10: takes a change that it left out, because it alters nothing, for no sign of a restore', async () => {
    const { clock, take, recorder } = await world({ ignoreNoop: true });
    await take(sync('first', false), listed(object('a', 5, 1)), synced('9'));
    await take(events(['MODIFIED', object('a', 10, 1)]));
    await take(sync('gap', true));
    expect(await settle(recorder.take(listed(object('a', 10, 1))), clock)).toBe('recorded');
  });

  test('promise 10: says so, too, where nothing that lives is recorded, and something lives that is not newer than the position', async () => {
    const { clock, take, recorder, position } = await world();
    await take(sync('first', false), listed(object('a', 5)), synced('9'), events(['DELETED', object('a', 50)]));
    await take(sync('gap', false));
    expect(await settle(recorder.take(listed(object('c', 60), object('b', 40))), clock)).toBe('went back');
    expect(await position()).toMatchObject({ resourceVersion: '50', objects: 1 });
  });

  test('promise 10: says so where the list that ends lacks what is newer than itself, and keeps its position', async () => {
    const { clock, take, recorder, position } = await world();
    await take(sync('first', false), listed(object('a', 50)), sync('first', true), listed(object('b', 30)));
    expect(await settle(recorder.take(synced('40')), clock)).toBe('went back');
    expect((await position()).resourceVersion).toBeUndefined();
  });

  test('promise 10: says so where something lives that an unfinished comparison had recorded as deleted later, and keeps its position', async () => {
    const { clock, take, recorder, position } = await world();
    await take(sync('first', false), listed(object('a', 33), object('b', 40)));
    await take(sync('first', true), listed(object('b', 40)), { kind: 'page', asOf: rv('54') });
    await take(sync('first', true), listed(object('a', 33), object('b', 40)));
    expect(await settle(recorder.take(synced('60')), clock)).toBe('went back');
    expect(await position()).toMatchObject({ epoch: 1, objects: 1 });
    expect((await position()).resourceVersion).toBeUndefined();
    await take({ ...sync('first', true), epoch: 2 } as WatchOutput, listed(object('a', 33), object('b', 40)));
    await take(synced('60'));
    expect(await position()).toMatchObject({ epoch: 2, objects: 2, resourceVersion: '60' });
  });

  test('promise 10: says so, too, where nothing that lives is recorded, but not of a page that is repeated', async () => {
    const { clock, take, recorder, store } = await world();
    const deletion = { ...change('a', 33, { namespace: '', type: 'delete' }), asOf: rv('54') };
    const changes = [change('a', 33, { namespace: '', type: 'add' }), deletion];
    await store.log.append(stream, { fence: 1, epoch: 1, changes });
    await take(sync('first', false), listed(object('b', 60)));
    expect(await settle(recorder.take({ ...listed(object('b', 60)), again: true } as WatchOutput), clock)).toBe(
      'recorded',
    );
    expect(await settle(recorder.take(listed(object('a', 33))), clock)).toBe('went back');
  });

  test('the end of a resource buries everything and begins the next epoch', async () => {
    const { clock, take, recorded, recorder, position } = await world();
    await take(sync('first', false), listed(object('a', 5), object('b', 6)), synced('9'));
    await settle(recorder.end(), clock);
    expect(changesOf(recorded).slice(2)).toEqual(['delete a@5', 'delete b@6']);
    expect(await position()).toMatchObject({ epoch: 2, objects: 0, sequence: 4 });
    expect((await position()).resourceVersion).toBeUndefined();
  });
});

// What every RevisionLog must do. Run by each implementation's own test file.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { resourceVersion } from '../../lib/model/resource-version.ts';
import { objectKey } from '../../lib/model/revision.ts';
import type { RevisionLog } from '../../lib/ports/revision-log.ts';
import { brief, change, collect, testStream } from '../support/changes.ts';

interface Subject {
  readonly log: RevisionLog;
  close(): Promise<void>;
}

const stream = testStream();
const everything = { changes: 1_000_000, bytes: 1e12 };

export function describeRevisionLog(name: string, make: () => Promise<Subject>): void {
  describe(`RevisionLog: ${name}`, () => {
    let subject: Subject;
    let log: RevisionLog;
    beforeEach(async () => {
      subject = await make();
      log = subject.log;
    });
    afterEach(() => subject.close());

    const append = (
      changes: Parameters<typeof log.append>[1]['changes'],
      rest: { fence?: number; epoch?: number } = {},
    ) => log.append(stream, { fence: 1, epoch: 1, ...rest, changes });

    describe('append', () => {
      test('numbers what is new from 1, and gives it back with everything that was observed', async () => {
        const first = change('a', 5, {
          type: 'add',
          origin: 'snapshot',
          manager: 'kubectl',
          apiVersion: 'example.com/v2',
        });
        const second = change('b', 6, { namespace: '', asOf: '8', type: 'delete', origin: 'relist' });
        const recorded = await append([first, second]);
        expect(recorded).toEqual([
          { ...first, stream, epoch: 1, sequence: 1, position: expect.any(Number), previous: 0 },
          { ...second, stream, epoch: 1, sequence: 2, position: expect.any(Number), previous: 0 },
        ]);
        expect(await log.read(stream, 0, everything)).toEqual(recorded);
      });

      test('promise 5: a change that comes again is recorded once', async () => {
        await append([change('a', 5), change('b', 6)]);
        expect(await append([change('a', 5), change('b', 6)])).toEqual([]);
        expect(brief(await append([change('b', 6), change('a', 7)]))).toEqual([[3, 'a', '7', 'update']]);
        expect(await log.read(stream, 0, everything)).toHaveLength(3);
      });

      test('promise 2: an older state of an object is not recorded after a newer one, also inside a batch', async () => {
        const recorded = await append([
          change('a', 10),
          change('a', 9),
          change('a', 11),
          change('a', 100),
          change('a', 11),
        ]);
        expect(recorded.map((revision) => revision.resourceVersion)).toEqual(['10', '11', '100']);
        expect(await append([change('a', 99)])).toEqual([]);
      });

      test('links each revision to the one before it of the same object', async () => {
        await append([change('a', 1), change('b', 2), change('a', 3)]);
        await append([change('b', 4), change('a', 5)]);
        const all = await log.read(stream, 0, everything);
        expect(all.map(({ sequence, previous }) => [sequence, previous])).toEqual([
          [1, 0],
          [2, 0],
          [3, 1],
          [4, 2],
          [5, 3],
        ]);
      });

      test('a tombstone is recorded once, and an object made anew follows it', async () => {
        await append([change('a', 1), change('a', 2, { type: 'delete' })]);
        expect(await append([change('a', 1, { type: 'delete', asOf: '3' })])).toEqual([]);
        const anew = await append([change('a', 4, { type: 'add', uid: 'another' })]);
        expect(anew).toMatchObject([{ sequence: 3, previous: 2, uid: 'another' }]);
      });

      test('a tombstone found by absence keeps the last known resourceVersion and is known up to the list', async () => {
        await append([change('a', 5), change('a', 5, { type: 'delete', asOf: '50', origin: 'relist' })]);
        const state = await log.lastState(stream, objectKey('ns', 'a'));
        expect(state).toMatchObject({ resourceVersion: '5', asOf: '50', deleted: true, sequence: 2 });
        expect(await append([change('a', 49)])).toEqual([]);
        expect(await append([change('a', 51)])).toHaveLength(1);
      });

      test('calls for one stream take effect in call order, without waiting for each other', async () => {
        const calls = Array.from({ length: 20 }, (_, i) => append([change('a', i + 1), change(`b${i}`, i + 1)]));
        const sequences = (await Promise.all(calls)).flat().map((revision) => revision.sequence);
        expect(sequences).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
      });

      test('promise 6: a smaller fence than the stream has seen is refused, and only that call', async () => {
        await append([change('a', 1)], { fence: 3 });
        const [late, fine, other] = await Promise.allSettled([
          append([change('b', 2)], { fence: 2 }),
          append([change('c', 3)], { fence: 3 }),
          log.append(testStream('gadgets'), { fence: 1, epoch: 1, changes: [change('d', 1)] }),
        ]);
        expect(late).toMatchObject({ status: 'rejected', reason: { code: 'fenced' } });
        expect(fine).toMatchObject({ status: 'fulfilled', value: [{ sequence: 2 }] });
        expect(other).toMatchObject({ status: 'fulfilled', value: [{ sequence: 1 }] });
        expect(await log.lastState(stream, objectKey('ns', 'b'))).toBeUndefined();
      });

      test('promise 6: a larger fence is remembered also where nothing was recorded', async () => {
        await append([], { fence: 7 });
        await expect(append([change('a', 1)], { fence: 6 })).rejects.toMatchObject({ code: 'fenced' });
      });

      test('in a new epoch smaller resourceVersions are news, the same state is not, and an older epoch is refused', async () => {
        await append([change('a', 100), change('b', 101)]);
        const recorded = await append([change('a', 40), change('b', 101)], { epoch: 2 });
        expect(recorded).toMatchObject([{ name: 'a', epoch: 2, sequence: 3, previous: 1 }]);
        await expect(append([change('a', 200)])).rejects.toMatchObject({ code: 'fenced' });
      });

      test('objects with odd names and contents come back as they are', async () => {
        const odd = [
          'a/b',
          '',
          'ünï-😀',
          'line\nbreak',
          'quote\'"',
          'nul\u0000nul',
          ' ',
          '__proto__',
          '\uffff',
          'x'.repeat(5000),
        ];
        const changes = odd.map((name, i) => change(name, i + 1, { uid: `u${i}`, namespace: i % 2 === 0 ? '' : 'né' }));
        const bytes = new Uint8Array(256).map((_, i) => i);
        changes.push(change('bytes', 99, { object: bytes }), change('empty', 100, { object: '' }));
        await append(changes);
        const read = await log.read(stream, 0, everything);
        expect(read.map(({ name, namespace, uid }) => [name, namespace, uid])).toEqual(
          changes.map(({ name, namespace, uid }) => [name, namespace, uid]),
        );
        expect(read.map((revision) => Buffer.from(revision.object))).toEqual(
          changes.map((observed) => Buffer.from(observed.object)),
        );
        for (const observed of changes) {
          const key = objectKey(observed.namespace, observed.name);
          expect(await log.lastState(stream, key)).toMatchObject({
            name: observed.name,
            namespace: observed.namespace,
          });
        }
      });

      test('an object of 3 MB among small ones comes back whole', async () => {
        const large = Buffer.alloc(3_000_000, 'mk8s is wide ');
        await append([change('a', 1), change('large', 2, { object: large }), change('b', 3)]);
        const [, second] = await log.read(stream, 0, everything);
        expect(Buffer.compare(Buffer.from(second?.object ?? []), large)).toBe(0);
        expect((await log.revision(stream, 3))?.name).toBe('b');
      });
    });

    describe('position', () => {
      test('is empty for a stream without a record', async () => {
        expect(await log.position(stream)).toEqual({ epoch: 0, sequence: 0, objects: 0 });
        expect(await log.streams()).toEqual([]);
      });

      test('counts live objects and moves with the batch that says so', async () => {
        await append([change('a', 1), change('b', 2), change('a', 3)]);
        expect(await log.position(stream)).toEqual({ epoch: 1, sequence: 3, objects: 2 });
        const rest = { fence: 1, epoch: 1, resourceVersion: resourceVersion('9') };
        await log.append(stream, { ...rest, changes: [change('a', 4, { type: 'delete' })] });
        expect(await log.position(stream)).toEqual({ epoch: 1, sequence: 4, objects: 1, resourceVersion: '9' });
        await append([change('a', 10, { uid: 'again' })]);
        expect(await log.position(stream)).toEqual({ epoch: 1, sequence: 5, objects: 2, resourceVersion: '9' });
      });

      test('an unknown object that is deleted is not counted', async () => {
        await append([change('a', 1, { type: 'delete' }), change('b', 2)]);
        expect(await log.position(stream)).toMatchObject({ sequence: 2, objects: 1 });
      });

      test('promise 4: a bookmark moves it without a change, never backwards in an epoch', async () => {
        const mark = (rv: string, epoch = 1) =>
          log.append(stream, { fence: 1, epoch, changes: [], resourceVersion: resourceVersion(rv) });
        await mark('100');
        await mark('99');
        expect(await log.position(stream)).toEqual({ epoch: 1, sequence: 0, objects: 0, resourceVersion: '100' });
        await mark('50', 2);
        expect(await log.position(stream)).toEqual({ epoch: 2, sequence: 0, objects: 0, resourceVersion: '50' });
      });

      test('a new epoch forgets the resourceVersion of the one before', async () => {
        await log.append(stream, { fence: 1, epoch: 1, changes: [], resourceVersion: resourceVersion('100') });
        await append([], { epoch: 2 });
        expect(await log.position(stream)).toEqual({ epoch: 2, sequence: 0, objects: 0 });
      });
    });

    describe('read', () => {
      test('gives what comes after a sequence number, oldest first, up to the limits and at least one', async () => {
        const names = Array.from({ length: 250 }, (_, i) => `o${i}`);
        await append(names.map((name, i) => change(name, i + 1, { object: '0123456789' })));
        const sequences = async (after: number, changes: number, bytes: number) =>
          (await log.read(stream, after, { changes, bytes })).map((revision) => revision.sequence);
        expect(await sequences(0, 3, 1000)).toEqual([1, 2, 3]);
        expect(await sequences(99, 3, 1000)).toEqual([100, 101, 102]);
        expect(await sequences(10, 100, 25)).toEqual([11, 12, 13]);
        expect(await sequences(10, 100, 0)).toEqual([11]);
        expect(await sequences(249, 100, 1000)).toEqual([250]);
        expect(await sequences(250, 100, 1000)).toEqual([]);
        expect(await sequences(0, 1000, 1e9)).toHaveLength(250);
      });

      test('streams do not mix', async () => {
        const selected = { ...stream, selector: { labelSelector: 'a=b', namespace: 'ns' } };
        const streams = [stream, testStream('gadgets'), testStream('widgets', 'c-2'), selected];
        for (const [i, ref] of streams.entries()) {
          await log.append(ref, { fence: 1, epoch: 1, changes: [change('a', i + 1)] });
        }
        for (const [i, ref] of streams.entries()) {
          expect(await log.read(ref, 0, everything)).toMatchObject([{ resourceVersion: String(i + 1), stream: ref }]);
        }
        expect(await log.streams()).toHaveLength(4);
        expect(await log.streams('c-2')).toEqual([testStream('widgets', 'c-2')]);
        expect(await log.streams('absent')).toEqual([]);
      });

      test('promise 3: one revision by its number, undefined where there is none', async () => {
        const recorded = await append([change('a', 1), change('b', 2)]);
        expect(await log.revision(stream, 2)).toEqual(recorded[1]);
        expect(await log.revision(stream, 3)).toBeUndefined();
        expect(await log.revision(testStream('absent'), 1)).toBeUndefined();
      });
    });

    test('revisionsOf gives one object newest first, with tombstones and earlier objects of its name', async () => {
      await append([change('a', 1), change('ab', 1), change('a', 2, { type: 'delete' })]);
      await append([change('a', 3, { uid: 'again' }), change('b', 3)]);
      expect(brief(await collect(log.revisionsOf(stream, objectKey('ns', 'a'))))).toEqual([
        [4, 'a', '3', 'update'],
        [3, 'a', '2', 'delete'],
        [1, 'a', '1', 'update'],
      ]);
      expect(await collect(log.revisionsOf(stream, objectKey('ns', 'absent')))).toEqual([]);
    });

    test('promise 7: lastStates gives live objects in pages, in the order of UTF-8 bytes', async () => {
      const names = ['b', 'a', 'z', 'é', '\uff5e', '😀', 'gone', 'a-b', 'a.b'];
      await append(names.map((name, i) => change(name, i + 1)));
      await append([change('gone', 50, { type: 'delete' }), change('cluster-scoped', 51, { namespace: '' })]);
      const seen: string[] = [];
      for (let after: Parameters<typeof log.lastStates>[1]; ; ) {
        const page = await log.lastStates(stream, after, 2);
        seen.push(...page.map((state) => state.name));
        const last = page.at(-1);
        if (last === undefined) break;
        after = objectKey(last.namespace, last.name);
      }
      // U+FF5E sorts before U+1F600 as bytes, after it as JavaScript's UTF-16.
      expect(seen).toEqual(['cluster-scoped', 'a', 'a-b', 'a.b', 'b', 'z', 'é', '\uff5e', '😀']);
      const [state] = await log.lastStates(stream, undefined, 1);
      expect(state).toEqual({
        namespace: '',
        name: 'cluster-scoped',
        uid: 'uid-cluster-scoped',
        resourceVersion: '51',
        asOf: '51',
        epoch: 1,
        sequence: 11,
        deleted: false,
      });
    });
  });
}

// What every Feed must do.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Revision } from '../../lib/model/revision.ts';
import type { Feed } from '../../lib/ports/feed.ts';
import type { RevisionLog } from '../../lib/ports/revision-log.ts';
import { change, testStream } from '../support/changes.ts';

interface Subject {
  readonly log: RevisionLog;
  readonly feed: Feed;
  close(): Promise<void>;
}

const widgets = testStream('widgets');
const gadgets = testStream('gadgets', 'c-2');

export function describeFeed(name: string, make: () => Promise<Subject>): void {
  describe(`Feed: ${name}`, () => {
    let subject: Subject;
    let feed: Feed;
    beforeEach(async () => {
      subject = await make();
      feed = subject.feed;
    });
    afterEach(() => subject.close());

    const append = (stream: typeof widgets, ...changes: Parameters<RevisionLog['append']>[1]['changes']) =>
      subject.log.append(stream, { fence: 1, epoch: 1, changes });

    /** Reads page by page to the end, checking that pages make progress. */
    const readAll = async (after: number, options: Parameters<Feed['read']>[1]) => {
      const revisions: Revision[] = [];
      for (let position = after; ; ) {
        const page = await feed.read(position, options);
        revisions.push(...page.revisions);
        if (page.atEnd) return { revisions, position: page.position };
        expect(page.position).toBeGreaterThan(position);
        position = page.position;
      }
    };

    test('is at its end when nothing was recorded', async () => {
      expect(await feed.head()).toBe(0);
      expect([await feed.tail(), await feed.thinned()]).toEqual([0, 0]);
      expect(await feed.read(0, { bytes: 100 })).toEqual({ revisions: [], position: 0, atEnd: true });
    });

    test('promise 2: gives all streams in the order of recording, with growing positions', async () => {
      const recorded = [
        ...(await append(widgets, change('a', 1), change('b', 2))),
        ...(await append(gadgets, change('a', 1))),
        ...(await append(widgets, change('a', 3))),
      ];
      const { revisions, position } = await readAll(0, { bytes: 1e9 });
      expect(revisions).toEqual(recorded);
      const positions = revisions.map((revision) => revision.position);
      expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
      expect(position).toBe(await feed.head());
      expect(position).toBe(positions.at(-1));
    });

    test('continues after any position, in pages of about so many bytes', async () => {
      const changes = Array.from({ length: 250 }, (_, i) => change(`o${i}`, i + 1, { object: '0123456789' }));
      const recorded = await append(widgets, ...changes);
      const page = await feed.read(0, { bytes: 500 });
      expect(page.revisions.length).toBeGreaterThan(0);
      expect(page.revisions.length).toBeLessThan(200);
      for (const after of [0, 1, 77, 249]) {
        const from = recorded[after - 1]?.position ?? 0;
        const { revisions } = await readAll(from, { bytes: 95 });
        expect(revisions.map((revision) => revision.sequence)).toEqual(
          Array.from({ length: 250 - after }, (_, i) => after + i + 1),
        );
      }
    });

    test('filters by stream and by revision, and moves past what it left out', async () => {
      await append(widgets, change('a', 1), change('b', 2));
      await append(gadgets, change('a', 1), change('c', 2));
      await append(widgets, change('c', 3));
      const head = await feed.head();
      const onlyGadgets = await readAll(0, { bytes: 1e9, wants: (stream) => stream.plural === 'gadgets' });
      expect(onlyGadgets.revisions.map((revision) => revision.name)).toEqual(['a', 'c']);
      expect(onlyGadgets.position).toBe(head);
      const onlyA = await readAll(0, { bytes: 1, accepts: (revision) => revision.name === 'a' });
      expect(onlyA.revisions.map((revision) => revision.stream)).toEqual([widgets, gadgets]);
      expect(onlyA.position).toBe(head);
      expect(await readAll(0, { bytes: 1, accepts: () => false })).toEqual({ revisions: [], position: head });
    });

    test('finds the position for a time', async () => {
      const recorded = await append(
        widgets,
        ...[10, 20, 30].map((at) => change(`o${at}`, at, { observedAt: at })),
        change('late', 40, { observedAt: 25 }),
      );
      const positions = [0, ...recorded.map((revision) => revision.position)];
      expect(await feed.positionAt(0)).toBe(0);
      expect(await feed.positionAt(10)).toBe(0);
      expect(await feed.positionAt(11)).toBe(positions[1]);
      expect(await feed.positionAt(25)).toBe(positions[2]);
      expect(await feed.positionAt(26)).toBe(positions[4]);
      expect(await feed.positionAt(1e9)).toBe(positions[4]);
    });

    describe('changed', () => {
      test('resolves at once when something was recorded after the position', async () => {
        await append(widgets, change('a', 1));
        await feed.changed(0, new AbortController().signal);
      });

      test('resolves when something is recorded later', async () => {
        const changed = feed.changed(await feed.head(), new AbortController().signal);
        const recorded = await append(widgets, change('a', 1));
        await changed;
        expect(await feed.head()).toBe(recorded[0]?.position);
      });

      test('rejects with the reason when aborted, before and during', async () => {
        await expect(feed.changed(0, AbortSignal.abort(new Error('already')))).rejects.toThrow('already');
        const controller = new AbortController();
        const changed = feed.changed(0, controller.signal);
        controller.abort(new Error('stop'));
        await expect(changed).rejects.toThrow('stop');
      });
    });
  });
}

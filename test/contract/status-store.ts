// What every StatusStore must do.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StreamStatus } from '../../lib/model/stream-status.ts';
import type { RunStatus, StatusStore } from '../../lib/ports/status-store.ts';
import { testStream } from '../support/changes.ts';

interface Subject {
  readonly status: StatusStore;
  close(): Promise<void>;
}

const run: RunStatus = { run: 'here, pid 1', startedAt: 1, updatedAt: 2, running: true, problems: [] };

function status(plural: string, options: Partial<StreamStatus> = {}): StreamStatus {
  return {
    stream: testStream(plural),
    clusterName: 'one',
    state: 'watching',
    epoch: 1,
    resourceVersion: '5',
    recorded: 3,
    published: 2,
    objects: 1,
    currentAt: 4,
    lastBookmarkAt: 3,
    gaps: 0,
    lastGapAt: 0,
    updatedAt: 9,
    ...options,
  };
}

export function describeStatusStore(name: string, make: () => Promise<Subject>): void {
  describe(`StatusStore: ${name}`, () => {
    let subject: Subject;
    let store: StatusStore;
    beforeEach(async () => {
      subject = await make();
      store = subject.status;
    });
    afterEach(() => subject.close());

    test('knows nothing at first', async () => {
      expect(await store.read()).toEqual({ run: undefined, streams: [] });
    });

    test('promise 10: gives back every stream with its last state, and the run', async () => {
      await store.write(run, [status('widgets'), status('gadgets')]);
      const lost = status('widgets', { state: 'retrying', error: 'refused', errorAt: 8, gaps: 1, synced: { done: 1 } });
      const problems = [{ source: 'kubeconfig', message: 'no such file' }];
      await store.write({ ...run, running: false, problems }, [lost]);
      const { run: last, streams } = await store.read();
      expect(last).toEqual({ ...run, running: false, problems });
      expect(streams).toHaveLength(2);
      expect(streams).toContainEqual(lost);
      expect(streams).toContainEqual(status('gadgets'));
    });
  });
}

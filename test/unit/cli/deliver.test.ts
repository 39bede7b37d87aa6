// A tail's delivery: what is handed over, and what is kept of the place.
import { describe, expect, test } from 'vitest';
import { clusterNames } from '../../../lib/cli/tail/cluster-names.ts';
import { deliver } from '../../../lib/cli/tail/deliver.ts';
import { filterOf, parseWhere } from '../../../lib/cli/tail/where.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { change, testStream } from '../../support/changes.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { idle } from '../../support/scripted-clock.ts';

const locked = new Mk8sError('Another process keeps it locked', { code: 'storage', retryable: true });
const broken = new Mk8sError('The disk is broken', { code: 'storage' });

/** A tail under a name, whose store fails as `fails` says. */
function world() {
  const clock = createManualClock();
  const store = createMemoryStore(clock);
  const handed: string[] = [];
  const stop = new AbortController();
  const state: { fails: Mk8sError | undefined } = { fails: undefined };
  const subscriptions: typeof store.subscriptions = {
    ...store.subscriptions,
    acknowledge: async (...given) => {
      if (state.fails !== undefined) throw state.fails;
      await store.subscriptions.acknowledge(...given);
    },
  };
  let version = 0;
  return {
    state,
    handed,
    stop,
    place: async () => (await store.subscriptions.get('me'))?.position,
    record: async (name: string): Promise<void> => {
      version += 1;
      await store.log.append(testStream(), { fence: 1, epoch: 1, changes: [change(name, version)] });
      for (let turn = 0; turn < 5; turn += 1) await idle();
    },
    start: (follow: boolean) =>
      deliver({
        folder: { feed: store.feed, subscriptions },
        names: clusterNames(store.status),
        subscription: 'me',
        after: 0,
        follow,
        filter: filterOf(parseWhere([]), () => undefined),
        signal: stop.signal,
        now: () => clock.now(),
        hand: async (revisions) => handed.push(...revisions.map(({ name }) => name)),
      }),
  };
}

describe('a tail under a name', () => {
  test('goes on while its place cannot be kept for a while, and keeps it then', async () => {
    const { state, handed, stop, place, record, start } = world();
    await record('a');
    state.fails = locked;
    const tail = start(true);
    await record('b');
    expect([handed, await place()]).toEqual([['a', 'b'], undefined]);
    state.fails = undefined;
    await record('c');
    expect([handed, await place()]).toEqual([['a', 'b', 'c'], 3]);
    stop.abort(new Error('enough'));
    await tail;
  });

  test('says at its end that its place could not be kept', async () => {
    const { state, handed, record, start } = world();
    await record('a');
    state.fails = locked;
    await expect(start(false)).rejects.toBe(locked);
    expect(handed).toEqual(['a']);
  });

  test('ends where its place can never be kept', async () => {
    const { state, record, start } = world();
    await record('a');
    state.fails = broken;
    await expect(start(true)).rejects.toBe(broken);
  });
});

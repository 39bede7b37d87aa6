// What goes on beside the streams: the status that other processes read, and retention's pace.
import { describe, expect, test } from 'vitest';
import { createStatusKeeper, keepRetention } from '../../../lib/bridge/housekeeping.ts';
import { createStatusBoard } from '../../../lib/bridge/status-board.ts';
import type { ReportEntry } from '../../../lib/ports/reporter.ts';
import type { Retention } from '../../../lib/ports/retention.ts';
import { testStream } from '../../support/changes.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { createScriptedClock, idle, settle } from '../../support/scripted-clock.ts';

function world() {
  const clock = createScriptedClock();
  const reports: ReportEntry[] = [];
  const stop = new AbortController();
  const surroundings = { clock, report: (entry: ReportEntry) => void reports.push(entry), signal: stop.signal };
  /** Lets time pass, timer by timer, until this much is over. */
  async function pass(ms: number): Promise<void> {
    const until = clock.now() + ms;
    for (await idle(); clock.now() < until && clock.jump(); ) await idle();
  }
  return { clock, reports, stop, surroundings, pass };
}

describe('retention', () => {
  const policy = { maxAgeMs: 1 };

  /** A store whose log is `frames` long; `removes` says whether a step finds something to remove. */
  function scripted(frames: number, removes: boolean) {
    let walked = 0;
    let rounds = 0;
    const store: Retention = {
      async retain(_policy, budget) {
        walked += budget;
        const done = walked >= frames;
        if (done) {
          walked = 0;
          rounds += 1;
        }
        return { removed: removes ? budget : 0, done };
      },
    };
    return { store, rounds: () => rounds, walked: () => walked };
  }

  test('promise 7: removes small frames faster than a thousand changes a second make them', async () => {
    const { clock, stop, surroundings, pass } = world();
    const { store, rounds } = scripted(60_000, true);
    const kept = keepRetention(store, policy, surroundings);
    await pass(61_000);
    expect(rounds()).toBeGreaterThanOrEqual(1);
    stop.abort(new Error('over'));
    await settle(kept, clock);
  });

  test('walks slowly over what stays, and rests when it is through', async () => {
    const { clock, stop, surroundings, pass } = world();
    const { store, walked } = scripted(1e9, false);
    const slow = keepRetention(store, policy, surroundings);
    await pass(60_000);
    expect(walked()).toBeLessThan(20_000);
    stop.abort(new Error('over'));
    await settle(slow, clock);

    const other = world();
    const short = scripted(1, true);
    const resting = keepRetention(short.store, policy, other.surroundings);
    await other.pass(270_000);
    expect(short.rounds()).toBe(10);
    other.stop.abort(new Error('over'));
    await settle(resting, other.clock);
  });

  test('promise 10: says once that it cannot remove, goes on trying, and says it again after it worked', async () => {
    const { clock, reports, stop, surroundings, pass } = world();
    let calls = 0;
    const store: Retention = {
      retain: () => {
        calls += 1;
        return calls === 3 ? Promise.resolve({ removed: 0, done: true }) : Promise.reject(new Error('the disk is odd'));
      },
    };
    const kept = keepRetention(store, policy, surroundings);
    await pass(30_000);
    expect([calls, reports.length]).toEqual([2, 1]);
    await pass(60_000);
    expect(calls).toBe(4);
    expect(reports.map(({ message }) => message)).toEqual([
      'Cannot remove old revisions: the disk is odd; trying again',
      'Cannot remove old revisions: the disk is odd; trying again',
    ]);
    stop.abort(new Error('over'));
    await settle(kept, clock);
  });
});

describe('the status that other processes read', () => {
  function keeper({ failing = () => false }: { failing?: () => boolean } = {}) {
    const around = world();
    const memory = createMemoryStore(around.clock);
    const board = createStatusBoard();
    board.row(testStream(), 'c-1');
    let writes = 0;
    const status: typeof memory.status = {
      ...memory.status,
      write: (...given) => {
        writes += 1;
        return failing() ? Promise.reject(new Error('no room')) : memory.status.write(...given);
      },
    };
    const run = { description: 'here, pid 1', startedAt: 1, problems: () => [{ source: 'x', message: 'odd' }] };
    return {
      ...around,
      memory,
      writes: () => writes,
      kept: createStatusKeeper(status, board, run, around.surroundings),
    };
  }

  test('is at most a second old, and says at the end that the run is over', async () => {
    const { clock, memory, stop, pass, kept } = keeper();
    const ran = kept.run();
    await pass(10_000);
    const { run, streams } = await memory.status.read();
    expect(run).toMatchObject({ run: 'here, pid 1', startedAt: 1, running: true, problems: [{ message: 'odd' }] });
    expect(clock.now() - (run?.updatedAt ?? 0)).toBeLessThanOrEqual(1000);
    expect(streams).toMatchObject([{ clusterName: 'c-1', state: 'starting' }]);
    stop.abort(new Error('over'));
    await settle(ran, clock);
    expect((await memory.status.read()).run).toMatchObject({ running: false, updatedAt: clock.now() });
  });

  test('that cannot be written is reported once, and ends nothing', async () => {
    let full = true;
    const { clock, reports, stop, pass, writes, kept } = keeper({ failing: () => full });
    const ran = kept.run();
    await pass(5000);
    expect(writes()).toBe(5);
    expect(reports).toMatchObject([{ severity: 'WARNING', message: 'Cannot write the status: no room; trying again' }]);
    full = false;
    await pass(1000);
    full = true;
    await pass(2000);
    expect(reports).toHaveLength(2);
    stop.abort(new Error('over'));
    await settle(ran, clock);
  });
});

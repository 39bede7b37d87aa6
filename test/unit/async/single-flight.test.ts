import { describe, expect, test } from 'vitest';
import { singleFlight } from '../../../lib/async/single-flight.ts';

function countedWork() {
  const runs: {
    readonly signal: AbortSignal;
    readonly finish: (value: string) => void;
    readonly fail: (error: Error) => void;
  }[] = [];
  const work = (signal: AbortSignal): Promise<string> =>
    new Promise((resolve, reject) => runs.push({ signal, finish: resolve, fail: reject }));
  return { runs, shared: singleFlight(work) };
}

describe('a single flight', () => {
  test('does the work once for all who ask while it is under way, and again for who asks later', async () => {
    const { runs, shared } = countedWork();
    const callers = [shared(), shared(), shared()];
    runs[0]?.finish('first');
    expect(await Promise.all(callers)).toEqual(['first', 'first', 'first']);
    const later = shared();
    runs[1]?.finish('second');
    expect(await later).toBe('second');
    expect(runs).toHaveLength(2);
  });

  test('tells a failure to everyone who waits, and forgets it', async () => {
    const { runs, shared } = countedWork();
    const callers = [shared(), shared()];
    runs[0]?.fail(new Error('no'));
    const results = await Promise.allSettled(callers);
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected']);
    const again = shared();
    runs[1]?.finish('yes');
    expect(await again).toBe('yes');
  });

  test('lets one caller leave without disturbing the others', async () => {
    const { runs, shared } = countedWork();
    const leaving = new AbortController();
    const left = shared(leaving.signal);
    const stays = shared();
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    expect(runs[0]?.signal.aborted).toBe(false);
    runs[0]?.finish('kept');
    expect(await stays).toBe('kept');
  });

  test('stops the work when the last caller has left, and starts anew for the next', async () => {
    const { runs, shared } = countedWork();
    const leaving = new AbortController();
    const left = shared(leaving.signal);
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    expect(runs[0]?.signal.aborted).toBe(true);
    const next = shared();
    runs[1]?.finish('new');
    expect(await next).toBe('new');
  });
});

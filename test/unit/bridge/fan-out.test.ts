// Several sinks as one.
import { describe, expect, test } from 'vitest';
import { fanOut } from '../../../lib/bridge/fan-out.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import type { Revision } from '../../../lib/model/revision.ts';
import { memorySink } from '../../support/scripted-bridge.ts';

const never = new AbortController().signal;
const batch = (...sequences: number[]): Revision[] => sequences.map((sequence) => ({ sequence }) as Revision);
const away = new Mk8sError('It is away', { code: 'unreachable', retryable: true });
const misled = new Mk8sError('It answered 302', { code: 'config' });

function world() {
  const [first, second] = [memorySink(), memorySink()];
  const got = (sink: typeof first): number[] => sink.published.map(({ sequence }) => sequence);
  return { first, second, sink: fanOut([first, second]), got };
}

describe('several sinks', () => {
  test('promise 4: are acknowledged when all are', async () => {
    const { first, second, sink, got } = world();
    const gate = Promise.withResolvers<void>();
    second.before = () => gate.promise;
    let acknowledged = false;
    const published = sink.publish(batch(1, 2), never).then(() => {
      acknowledged = true;
    });
    await new Promise(setImmediate);
    expect([got(first), acknowledged]).toEqual([[1, 2], false]);
    gate.resolve();
    await published;
    expect(got(second)).toEqual([1, 2]);
  });

  test('one that has acknowledged a batch does not get it again when the batch comes again for another', async () => {
    const { first, second, sink, got } = world();
    second.before = () => {
      throw away;
    };
    const twice = batch(1, 2);
    await expect(sink.publish(twice, never)).rejects.toBe(away);
    await expect(sink.publish(twice, never)).rejects.toBe(away);
    second.before = () => undefined;
    await sink.publish(twice, never);
    await sink.publish(batch(3), never);
    expect([got(first), got(second)]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  test('promise 10: of several failures the one is told that somebody has to mend', async () => {
    const { first, second, sink } = world();
    first.before = () => {
      throw away;
    };
    second.before = () => {
      throw misled;
    };
    await expect(sink.publish(batch(1), never)).rejects.toBe(misled);
  });

  test('are closed together', async () => {
    const closed: string[] = [];
    const closing = (name: string) => ({ ...memorySink(), name, close: async () => void closed.push(name) });
    const sink = fanOut([closing('a'), closing('b')]);
    expect(sink.name).toBe('a, b');
    await sink.close();
    expect(closed).toEqual(['a', 'b']);
  });
});

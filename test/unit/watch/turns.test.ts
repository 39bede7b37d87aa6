// A watch behind a gateway that allows few open streams: what it does while it waits for its turn, and when it comes.
import { describe, expect, test } from 'vitest';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import { createQuota } from '../../../lib/plan/quota.ts';
import type { QuotaPlace } from '../../../lib/ports/quota.ts';
import type { WatchContext } from '../../../lib/watch/watch-context.ts';
import { fakeApiServer, hanging } from '../../support/fake-api-server.ts';
import type { Scene } from '../../support/scripted-server.ts';
import { type ScriptedWatch, scriptedWatch } from '../../support/scripted-watch.ts';
import { bookmark, line, widget } from '../../support/watch-lines.ts';

const never = new AbortController().signal;
const position = { epoch: 1, resourceVersion: resourceVersion('50') };
const modified = (name: string, version: string): string => line('MODIFIED', widget(name, version));

function list(version: string, names: readonly string[], token = ''): { body: string } {
  const items = names.map((name) => widget(name, '10'));
  const metadata = { continue: token, resourceVersion: version };
  return { body: JSON.stringify({ items, kind: 'WidgetList', apiVersion: 'v1', metadata }) };
}

/** A watch that shares one open stream with `other`. */
function sharing(scenes: readonly Scene[], context: Partial<WatchContext> = {}): ScriptedWatch & { other: QuotaPlace } {
  let other: QuotaPlace | undefined;
  const watch = scriptedWatch(scenes, context, (api, clock) => {
    const quota = createQuota('the gateway', { streams: 1, requestsPerMinute: 6_000 }, clock);
    other = quota.open(fakeApiServer(() => ({}))).quota?.join();
    return quota.open(api);
  });
  return Object.assign(watch, { other: other as QuotaPlace });
}

describe('a stream behind a gateway', () => {
  test('lists by pages, which hold no stream, and waits for its turn before it watches', async () => {
    const watch = sharing([
      ['first page', list('20', ['a'], 'c1')],
      ['page c1', list('20', ['b'])],
      ['watch from 20', { body: hanging(bookmark('21')) }],
    ]);
    expect(await watch.until('bookmark 21')).toEqual([
      'paging',
      'queued',
      'its turn',
      'sync, first, epoch 1',
      'listed a@10',
      'page as of 20',
      'listed b@10',
      'synced to 20 as of 20',
      'watching from 20',
      'queued',
      'its turn',
      'bookmark 21',
    ]);
    expect(watch.server.requests[2]?.query).toMatchObject({ timeoutSeconds: 15 });
  });

  test('lists while all streams are taken by others', async () => {
    const watch = sharing([['first page', list('20', ['a'])]]);
    await watch.other.take('watch', never);
    expect(await watch.until('watching from 20')).toContain('listed a@10');
  });

  test('promise 10: proves after a long wait that its resourceVersion still means the same, in one turn with its watch', async () => {
    const watch = sharing(
      [
        ['look', list('60', [])],
        ['watch from 50', { body: bookmark('70') }],
        ['look', list('80', [])],
        ['watch from 70', { body: hanging(bookmark('90')) }],
      ],
      { position },
    );
    const first = await watch.until('bookmark 70');
    // The watch ended; now another one has its turn, for ten minutes.
    const turn = watch.other.take('watch', never);
    expect(await watch.next()).toMatchObject({ kind: 'turn', waiting: true });
    const held = await turn;
    watch.clock.sleep(600_000).then(
      () => held.end(),
      () => undefined,
    );
    const later = await watch.until('bookmark 90');
    expect(first.slice(0, 4)).toEqual(['probing from 50', 'queued', 'its turn', 'present 60, same']);
    expect(later).toEqual(['its turn', 'probing from 70', 'present 80, same', 'watching from 70', 'bookmark 90']);
  });

  test('goes straight on after a short wait', async () => {
    const watch = sharing(
      [
        ['look', list('60', [])],
        ['watch from 50', { body: bookmark('70') }],
        ['watch from 70', { body: hanging(bookmark('90')) }],
      ],
      { position },
    );
    await watch.until('bookmark 70');
    const turn = watch.other.take('watch', never);
    await watch.next();
    const held = await turn;
    watch.clock.sleep(10_000).then(
      () => held.end(),
      () => undefined,
    );
    expect(await watch.until('bookmark 90')).toEqual(['its turn', 'bookmark 90']);
  });

  test('promise 1: makes way for one that has none, and goes on after the last change that it handed out', async () => {
    const lone = scriptedWatchAlone([
      ['look', list('60', [])],
      ['watch from 50', { body: hanging(modified('a', '55'), modified('b', '57')) }],
      ['watch from 57', { body: hanging(modified('c', '58')) }],
    ]);
    await lone.until('events MODIFIED b@57');
    expect(lone.server.requests[1]?.query).toMatchObject({ timeoutSeconds: 300 });
    const place = lone.join();
    const turn = place.take('watch', never);
    const told = lone.until('events MODIFIED c@58');
    (await turn).end();
    expect(await told).toEqual(['queued', 'its turn', 'events MODIFIED c@58']);
    expect(lone.server.requests[2]?.query).toMatchObject({ timeoutSeconds: 15 });
  });

  test('gives its turn back when it is told to stop', async () => {
    const watch = sharing(
      [
        ['look', list('60', [])],
        ['watch from 50', { body: hanging(bookmark('70')) }],
      ],
      { position },
    );
    await watch.until('bookmark 70');
    const turn = watch.other.take('watch', never);
    watch.stop.abort(new Error('stop'));
    await expect(watch.next()).rejects.toThrow('stop');
    expect((await turn).what).toBe('watch');
  });
});

/** A watch that is alone behind its gateway, until somebody joins. */
function scriptedWatchAlone(scenes: readonly Scene[]): ScriptedWatch & { join(): QuotaPlace } {
  let join: (() => QuotaPlace) | undefined;
  const watch = scriptedWatch(scenes, { position }, (api, clock) => {
    const shared = createQuota('the gateway', { streams: 1, requestsPerMinute: 6_000 }, clock);
    const own = shared.open(api);
    join = () => (own.quota as NonNullable<typeof own.quota>).join();
    return own;
  });
  return Object.assign(watch, { join: join as () => QuotaPlace });
}

// The watch around its transition function, against a server that plays a script: what real servers said (see
// test/unit/watch/recorded.test.ts for the recordings themselves) and what they do only in bad moments.
import { describe, expect, test } from 'vitest';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import { createQuota } from '../../../lib/plan/quota.ts';
import type { WatchInput } from '../../../lib/watch/state.ts';
import type { WatchControl } from '../../../lib/watch/watch-context.ts';
import { broken, hanging, jsonAnswer, statusAnswer } from '../../support/fake-api-server.ts';
import { type ScriptedClock, settle } from '../../support/scripted-clock.ts';
import type { Scene } from '../../support/scripted-server.ts';
import { scriptedWatch } from '../../support/scripted-watch.ts';
import { bookmark, errorLine, initialEnd, line, widget } from '../../support/watch-lines.ts';

const rv = resourceVersion;
const added = (name: string, version: string): string => line('ADDED', widget(name, version));
const modified = (name: string, version: string): string => line('MODIFIED', widget(name, version));
const unreachable = new Mk8sError('Cannot reach the fake.', { code: 'unreachable', retryable: true });
const position = { epoch: 1, resourceVersion: rv('50') };

/** A list as the API server sends those of custom resources. */
function list(version: string, names: readonly string[], token = ''): { body: string } {
  const items = names.map((name) => widget(name, '10'));
  return {
    body: JSON.stringify({
      items,
      kind: 'WidgetList',
      apiVersion: 'v1',
      metadata: { continue: token, resourceVersion: version },
    }),
  };
}
const look = (version: string): { body: string } => list(version, []);

/** What is sent, then silence until `ms` have passed and the server ends the body in order. */
async function* lasting(clock: ScriptedClock, ms: number, ...parts: string[]): AsyncGenerator<string> {
  yield* parts;
  await clock.sleep(ms);
}

/** A body that needs so long for its way. */
async function* trickling(clock: ScriptedClock, ms: number, text: string): AsyncGenerator<string> {
  yield text.slice(0, text.length / 2);
  await clock.sleep(ms);
  yield text.slice(text.length / 2);
}

describe('the first sync', () => {
  test('lists by a stream, and goes on as a watch on the same connection', async () => {
    const watch = scriptedWatch([
      [
        'streaming list',
        { body: hanging(added('b', '5') + added('a', '7'), initialEnd('9'), modified('a', '11'), bookmark('12')) },
      ],
    ]);
    expect(await watch.until('bookmark 12')).toEqual([
      'streaming',
      'sync, first, epoch 1',
      'listed b@5 a@7',
      'synced to 9 as of 9',
      'watching from 9',
      'events MODIFIED a@11',
      'bookmark 12',
    ]);
    expect(watch.server.requests[0]?.query).toMatchObject({
      watch: true,
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: true,
      timeoutSeconds: 300,
    });
  });

  test('takes events that came with the end mark in one chunk as live ones', async () => {
    const watch = scriptedWatch([
      ['streaming list', { body: hanging(added('a', '5') + initialEnd('9') + modified('a', '11')) }],
    ]);
    expect((await watch.until('events MODIFIED a@11')).slice(2)).toEqual([
      'listed a@5',
      'synced to 9 as of 9',
      'watching from 9',
      'events MODIFIED a@11',
    ]);
  });

  test.each([
    ['live events before the end mark', { body: hanging(added('a', '5'), modified('a', '7')) }],
    ['a bookmark before the end mark', { body: hanging(added('a', '5') + bookmark('7')) }],
    ['silence', { body: hanging(added('a', '5')) }],
    ['a clean end without the mark', { body: added('a', '5') }],
    ['a refusal (422)', statusAnswer(422, 'Invalid', 'sendInitialEvents is forbidden for watch')],
  ])('goes over to pages at %s, and asks no more for a streaming list', async (_, answer) => {
    const watch = scriptedWatch([
      ['streaming list', answer],
      ['first page', list('20', ['a'], 'c1')],
      ['page c1', list('20', ['b'])],
      ['watch from 20', { body: hanging(errorLine(410, 'Expired', 'too old')) }],
      ['first page', list('30', ['a'])],
    ]);
    const told = await watch.until('synced to 30 as of 30');
    expect(told.slice(told.indexOf('paging'))).toEqual([
      'paging',
      'sync, first, epoch 1',
      'listed a@10',
      'page as of 20',
      'listed b@10',
      'synced to 20 as of 20',
      'watching from 20',
      'paging',
      'sync, gap, epoch 1',
      'listed a@10',
      'synced to 30 as of 30',
    ]);
    expect(watch.server.requests[1]?.query).toMatchObject({ limit: 500 });
  });

  test('goes over to pages where an ordered comparison needs key order and the stream has none', async () => {
    const record = { ...orderedRecord, newest: () => Promise.resolve([]) };
    const watch = scriptedWatch(
      [
        ['streaming list', { body: hanging(added('b', '5') + added('a', '7'), initialEnd('9')) }],
        ['first page', list('20', ['a', 'b'])],
      ],
      { record },
    );
    expect(await watch.until('synced to 20 as of 20')).toEqual([
      'streaming',
      'sync, first, epoch 1, ordered',
      'paging',
      'sync, first, epoch 1, ordered',
      'listed a@10 b@10',
      'synced to 20 as of 20',
    ]);
  });

  test('is not counted as silent while the consumer works', async () => {
    const watch = scriptedWatch([['streaming list', { body: hanging(added('a', '5'), initialEnd('9')) }]]);
    await watch.until('listed a@5');
    const slow = watch.clock.sleep(600_000);
    while (watch.clock.timers > 0) watch.clock.jump();
    await slow;
    expect(await watch.until('watching from 9')).toEqual(['synced to 9 as of 9', 'watching from 9']);
  });

  test('asks again for a page that broke off, and says that it repeats', async () => {
    const text = list('20', ['c', 'd'], 'c2').body;
    const watch = scriptedWatch([
      ['streaming list', statusAnswer(422, 'Invalid', 'no')],
      ['first page', list('20', ['a', 'b'], 'c1')],
      ['page c1', { body: broken(text.slice(0, text.indexOf('"name":"d"'))) }],
      ['page c1', list('20', ['c', 'd'], 'c2')],
      ['page c2', list('20', ['e'])],
    ]);
    const told = await watch.until('synced to 20 as of 20');
    expect(told.slice(2)).toEqual([
      'sync, first, epoch 1',
      'listed a@10 b@10',
      'page as of 20',
      'listed c@10',
      'waiting (backoff): The answer of the fake ended in the middle.',
      'paging',
      'listed again c@10 d@10',
      'page as of 20',
      'listed e@10',
      'synced to 20 as of 20',
    ]);
  });

  test('gives up a page that stalls, and asks again', async () => {
    const text = list('20', ['a', 'b']).body;
    const watch = scriptedWatch([
      ['streaming list', statusAnswer(422, 'Invalid', 'no')],
      ['first page', { body: hanging(text.slice(0, -40)) }],
      ['first page', list('20', ['a', 'b'])],
    ]);
    const told = await watch.until('synced to 20 as of 20');
    expect(told).toContain('waiting (backoff): a page of the list did not go on for 30 s');
    expect(told.filter((words) => words.startsWith('sync,'))).toHaveLength(2);
    expect(watch.server.open()).toBe(0);
  });

  test('goes on from a fresh continue token after 410, and then watches from the first page', async () => {
    const expired = jsonAnswer(
      { kind: 'Status', code: 410, reason: 'Expired', message: 'expired', metadata: { continue: 'fresh' } },
      410,
    );
    const watch = scriptedWatch([
      ['streaming list', statusAnswer(422, 'Invalid', 'no')],
      ['first page', list('20', ['a'], 'c1')],
      ['page c1', expired],
      ['page fresh', list('33', ['b'], 'c2')],
      ['page c2', list('33', ['c'])],
      ['watch from 20', { body: hanging(modified('a', '25')) }],
    ]);
    const told = await watch.until('events MODIFIED a@25');
    expect(told).toContain('synced to 20 as of 20');
  });

  test('starts anew where the token expired and no fresh one was given', async () => {
    const watch = scriptedWatch([
      ['streaming list', statusAnswer(422, 'Invalid', 'no')],
      ['first page', list('20', ['a'], 'c1')],
      ['page c1', statusAnswer(410, 'Expired', 'expired')],
      ['first page', list('30', ['a', 'b'])],
    ]);
    expect((await watch.until('synced to 30 as of 30')).filter((words) => words.startsWith('sync,'))).toHaveLength(2);
  });
});

const orderedRecord = {
  lastStates: () =>
    Promise.resolve([
      {
        namespace: '',
        name: 'x',
        uid: 'u',
        resourceVersion: rv('1'),
        asOf: rv('1'),
        epoch: 1,
        sequence: 1,
        deleted: false,
      },
    ]),
  revision: () => Promise.resolve(undefined),
  holds: () => false,
  alters: () => true,
  newest: () => Promise.resolve([]),
};

describe('the next page', () => {
  const refused = ['streaming list', statusAnswer(422, 'Invalid', 'no')] as const;

  test('is asked for before the objects of this one are handed out', async () => {
    const watch = scriptedWatch([
      refused,
      ['first page', list('20', ['a', 'b'], 'c1')],
      ['page c1', list('20', ['c'], 'c2')],
      ['page c2', list('20', ['d'])],
    ]);
    await watch.until('listed a@10 b@10');
    expect(watch.server.asked().slice(1)).toEqual(['first page', 'page c1']);
    await watch.until('listed c@10');
    expect(watch.server.asked().slice(3)).toEqual(['page c2']);
    expect(await watch.until('synced to 20 as of 20')).toEqual([
      'page as of 20',
      'listed d@10',
      'synced to 20 as of 20',
    ]);
    expect(watch.server.left()).toBe(0);
  });

  test('promise 7: of a page that does not fit the share of what is read ahead, the rest is handed out as it comes', async () => {
    const { body } = list('20', ['a', 'b', 'c'], 'c1');
    const [b, c] = [body.indexOf('"name":"b"'), body.indexOf('"name":"c"')];
    const pieces = (clock: ScriptedClock): AsyncGenerator<string> =>
      (async function* () {
        yield body.slice(0, b);
        await clock.sleep(1);
        yield body.slice(b, c);
        await clock.sleep(1);
        yield body.slice(c);
      })();
    const size = JSON.stringify(widget('a', '10')).length;
    const watch = scriptedWatch(
      (clock) => [refused, ['first page', { body: pieces(clock) }], ['page c1', list('20', ['d'])]],
      { readAheadBytes: () => Math.round(size * 1.5) },
    );
    const told = await watch.until('synced to 20 as of 20');
    expect(told.filter((words) => words.startsWith('listed'))).toEqual([
      'listed a@10 b@10',
      'listed c@10',
      'listed d@10',
    ]);
  });

  test.each([
    ['unreachable', unreachable, 'waiting (backoff): Cannot reach the fake.'],
    ['refused', statusAnswer(503, 'ServiceUnavailable', 'no'), 'waiting (backoff): 503 '],
  ] as const)('fails when it is its turn, and is asked for again (%s)', async (_, answer, waiting) => {
    const watch = scriptedWatch([
      refused,
      ['first page', list('20', ['a'], 'c1')],
      ['page c1', answer],
      ['page c1', list('20', ['b'])],
    ]);
    expect((await watch.until('synced to 20 as of 20')).slice(3)).toEqual([
      'listed a@10',
      'page as of 20',
      expect.stringContaining(waiting),
      'paging',
      'listed again b@10',
      'synced to 20 as of 20',
    ]);
  });

  test('with credentials that are not accepted any more is asked for with fresh ones', async () => {
    const watch = scriptedWatch([
      refused,
      ['first page', list('20', ['a'], 'c1')],
      ['page c1', statusAnswer(401, 'Unauthorized', 'no')],
      ['page c1 with fresh credentials', list('20', ['b'], 'c2')],
      ['page c2', list('20', ['c'])],
    ]);
    await watch.until('synced to 20 as of 20');
    expect(watch.server.left()).toBe(0);
  });

  test('promise 1: that was asked for long ago is not believed: the cluster may have been restored since', async () => {
    const watch = scriptedWatch([
      refused,
      ['first page', list('20', ['a'], 'c1')],
      ['page c1', list('20', ['b'], 'c2')],
      ['first page', list('30', ['a', 'b'])],
    ]);
    await watch.until('listed a@10');
    await settle(watch.clock.sleep(8_000), watch.clock);
    await watch.until('listed b@10');
    await settle(watch.clock.sleep(8_000), watch.clock);
    expect(await watch.until('synced to 30 as of 30')).toContain('sync, first, epoch 1');
  });

  test('promise 1: is left where the list begins anew, because its consumer took long over this one', async () => {
    const watch = scriptedWatch([
      refused,
      ['first page', list('20', ['a'], 'c1')],
      ['page c1', list('20', ['b'])],
      ['first page', list('30', ['a', 'b', 'c'])],
    ]);
    await watch.until('listed a@10');
    const ahead = watch.server.requests.at(-1);
    await settle(watch.clock.sleep(16_000), watch.clock);
    expect(await watch.until('synced to 30 as of 30')).toContain('listed a@10 b@10 c@10');
    expect([ahead?.query?.continue, ahead?.signal?.aborted]).toEqual(['c1', true]);
  });

  test('is asked for anew where the resource came to be served elsewhere meanwhile', async () => {
    let path = '/apis/example.com/v1/widgets';
    const watch = scriptedWatch(
      [
        refused,
        ['first page', list('20', ['a'], 'c1')],
        ['page c1', list('20', ['old'])],
        ['page c1', list('20', ['new'])],
      ],
      { collection: () => ({ path, selector: {} }) },
    );
    await watch.until('listed a@10');
    path = '/apis/example.com/v2/widgets';
    expect(await watch.until('synced to 20 as of 20')).toContain('listed new@10');
    expect(watch.server.requests.at(-1)?.path).toBe(path);
  });

  test('that stalls is given up, and asked for again', async () => {
    const text = list('20', ['b']).body;
    const watch = scriptedWatch([
      refused,
      ['first page', list('20', ['a'], 'c1')],
      ['page c1', { body: hanging(text.slice(0, -40)) }],
      ['first page', list('30', ['a', 'b'])],
    ]);
    const told = await watch.until('synced to 30 as of 30');
    expect(told).toContain('waiting (backoff): a page of the list did not go on for 30 s');
    expect(watch.server.open()).toBe(0);
  });

  test('is left where the watch ends before its turn', async () => {
    const watch = scriptedWatch([
      refused,
      ['first page', list('20', ['a'], 'c1')],
      ['page c1', list('20', ['b'], 'c2')],
      ['page c2', list('20', ['c'])],
    ]);
    await watch.until('listed b@10');
    const ahead = watch.server.requests.at(-1);
    expect([ahead?.query?.continue, ahead?.signal?.aborted]).toEqual(['c2', false]);
    await watch.leave();
    expect(ahead?.signal?.aborted).toBe(true);
  });

  test('is not asked for ahead behind a gateway, where each has its turn', async () => {
    const watch = scriptedWatch(
      [
        ['first page', list('20', ['a'], 'c1')],
        ['page c1', list('20', ['b'])],
      ],
      {},
      (api, clock) => createQuota('the gateway', { streams: 1, requestsPerMinute: 6_000 }, clock).open(api),
    );
    await watch.until('listed a@10');
    expect(watch.server.asked()).toEqual(['first page']);
    await watch.until('synced to 20 as of 20');
  });
});

describe('a resumed watch', () => {
  test('first compares with the present, then watches from where the record ends', async () => {
    const watch = scriptedWatch(
      [
        ['look', look('70')],
        ['watch from 50', { body: hanging(added('a', '60')) }],
      ],
      { position },
    );
    expect(await watch.until('events ADDED a@60')).toEqual([
      'probing from 50',
      'present 70, same',
      'watching from 50',
      'events ADDED a@60',
    ]);
  });

  test('promise 10: starts a new epoch where the cluster is behind what it told before', async () => {
    const watch = scriptedWatch(
      [
        ['look', look('40')],
        ['streaming list', { body: hanging(initialEnd('41')) }],
      ],
      { position },
    );
    expect(await watch.until('watching from 41')).toEqual([
      'probing from 50',
      'present 40, restored',
      'streaming',
      'sync, restored, epoch 2',
      'synced to 41 as of 41',
      'watching from 41',
    ]);
  });

  test('promise 1: compares everything after 410, as an HTTP status and as an event', async () => {
    const watch = scriptedWatch(
      [
        ['look', look('70')],
        ['watch from 50', { body: errorLine(410, 'Expired', 'too old resource version') }],
        ['streaming list', { body: initialEnd('70') }],
        ['watch from 70', statusAnswer(410, 'Expired', 'too old resource version')],
        ['streaming list', { body: hanging(initialEnd('80')) }],
      ],
      { position },
    );
    const told = await watch.until('synced to 80 as of 80');
    expect(told.filter((words) => words === 'sync, gap, epoch 1')).toHaveLength(2);
  });

  test('promise 10: shows each change of its state, also where a gap follows on a streaming list', async () => {
    const watch = scriptedWatch([
      ['streaming list', { body: initialEnd('9') + errorLine(410, 'Expired', 'too old') }],
      ['streaming list', { body: hanging(initialEnd('20')) }],
    ]);
    const told = await watch.until('watching from 20');
    expect(told.filter((words) => !words.startsWith('sync'))).toEqual([
      'streaming',
      'watching from 9',
      'streaming',
      'watching from 20',
    ]);
  });

  test('says nothing of its state where a watch only goes on', async () => {
    const watch = scriptedWatch([
      ['streaming list', { body: initialEnd('9') }],
      ['watch from 9', { body: modified('a', '11') }],
      ['watch from 11', { body: hanging(bookmark('12')) }],
    ]);
    const told = await watch.until('bookmark 12');
    expect(told.slice(2)).toEqual(['synced to 9 as of 9', 'watching from 9', 'events MODIFIED a@11', 'bookmark 12']);
  });

  test('compares everything when a bookmark is older than its position', async () => {
    const watch = scriptedWatch(
      [
        ['look', look('70')],
        ['watch from 50', { body: hanging(bookmark('60'), bookmark('45')) }],
        ['streaming list', { body: hanging(initialEnd('46')) }],
      ],
      { position },
    );
    expect(await watch.until('sync, unproven, epoch 1')).toEqual([
      'probing from 50',
      'present 70, same',
      'watching from 50',
      'bookmark 60',
      'bookmark 45',
      'streaming',
      'sync, unproven, epoch 1',
    ]);
    expect(watch.server.open()).toBe(0);
  });

  test('promise 10: looks again whether its position still counts after it was parked: the cluster may have been restored', async () => {
    const watch = scriptedWatch(
      [
        ['look', look('70')],
        ['watch from 50', statusAnswer(404, 'NotFound', 'no')],
        ['look', look('40')],
        ['streaming list', { body: hanging(initialEnd('41')) }],
      ],
      { position },
    );
    expect(await watch.until('sync, restored, epoch 2')).toContain('present 40, restored');
  });

  test('promise 1: begins a list anew whose pages are minutes apart: the cluster may have been restored between them', async () => {
    const watch = scriptedWatch([
      ['streaming list', statusAnswer(422, 'Invalid', 'no')],
      ['first page', list('20', ['a'], 'c1')],
      ['page c1', statusAnswer(404, 'NotFound', 'no')],
      ['first page', list('30', ['a', 'b'])],
    ]);
    expect(await watch.until('synced to 30 as of 30')).toContain('sync, first, epoch 1');
  });

  test('promise 1: begins a list anew where a page was long underway, with a quarter of the objects, and so comes to its end', async () => {
    const watch = scriptedWatch((clock) => {
      const slow = (ms: number, { body }: { body: string }): { body: AsyncGenerator<string> } => ({
        body: trickling(clock, ms, body),
      });
      return [
        ['streaming list', statusAnswer(422, 'Invalid', 'no')],
        ['first page', slow(20_000, list('20', ['a', 'b', 'c', 'd'], 'c1'))],
        ['first page', slow(5_000, list('30', ['a'], 'c2'))],
        ['page c2', slow(20_000, list('30', ['b'], 'c3'))],
        ['first page', slow(12_000, list('40', ['a'], 'c4'))],
        ['page c4', slow(12_000, list('40', ['b']))],
      ];
    });
    await watch.until('synced to 40 as of 40');
    expect(watch.server.requests.slice(1).map(({ query }) => query?.limit)).toEqual([500, 125, 125, 31, 31]);
  });

  test('promise 10: looks again whether its position still counts after its consumer took its time over the last event', async () => {
    const watch = scriptedWatch(
      [
        ['look', look('70')],
        ['watch from 50', { body: modified('a', '60') }],
        ['look', look('40')],
        ['streaming list', { body: hanging(initialEnd('41')) }],
      ],
      { position },
    );
    await watch.until('events MODIFIED a@60');
    await settle(watch.clock.sleep(60_000), watch.clock);
    await watch.until('sync, restored, epoch 2');
  });

  test('asks again at once when a watch ended in order, from the last event', async () => {
    const watch = scriptedWatch(
      (clock) => [
        ['look', look('70')],
        ['watch from 50', { body: lasting(clock, 299_500, modified('a', '60')) }],
        ['watch from 60', { body: hanging(bookmark('61')) }],
      ],
      { position },
    );
    expect(await watch.until('bookmark 61')).toEqual([
      'probing from 50',
      'present 70, same',
      'watching from 50',
      'events MODIFIED a@60',
      'lasted',
      'bookmark 61',
    ]);
  });

  test('waits where the server ends watches at once', async () => {
    const watch = scriptedWatch(
      [
        ['look', look('70')],
        ['watch from 50', { body: '' }],
        ['watch from 50', { body: hanging(bookmark('61')) }],
      ],
      {
        position,
      },
    );
    expect(await watch.until('bookmark 61')).toContain('waiting (backoff): the server ended the watch at once');
  });

  test('catches a half-open connection by a deadline of its own, and proves its position again', async () => {
    const watch = scriptedWatch(
      [
        ['look', look('70')],
        ['watch from 50', { body: hanging(modified('a', '60')) }],
        ['look', look('70')],
        ['watch from 60', { body: hanging(bookmark('71')) }],
      ],
      { position },
    );
    const startedAt = watch.clock.now();
    const told = await watch.until('waiting (backoff): nothing came for 315 s: the connection is dead');
    expect(watch.clock.now() - startedAt).toBe(315_000);
    expect(told.slice(-2)[0]).toBe('events MODIFIED a@60');
    expect(watch.server.open()).toBe(0);
    expect(await watch.until('bookmark 71')).toEqual([
      'probing from 60',
      'present 70, same',
      'watching from 60',
      'bookmark 71',
    ]);
  });

  test.each([
    ['watch from 50', { position }],
    ['streaming list', {}],
  ] as const)('does not wait minutes for the text of an error (%s): its code is known', async (question, context) => {
    const looks: Scene[] = question === 'streaming list' ? [] : [['look', look('70')]];
    const silent = { status: 429, headers: { 'retry-after': '2' }, body: hanging('Too many ') };
    const watch = scriptedWatch([...looks, [question, silent]], context);
    const startedAt = watch.clock.now();
    await watch.until('waiting (throttled): 429 : its text did not come within 30 s');
    expect(watch.clock.now() - startedAt).toBe(30_000);
    expect(watch.server.open()).toBe(0);
  });

  test('catches a half-open connection in time though the wall clock was set back by an hour', async () => {
    const hour = 3_600_000;
    const watch = scriptedWatch(
      (clock) => [
        ['look', look('70')],
        [
          'watch from 50',
          () => {
            clock.set(-hour);
            return { body: hanging(modified('a', '60')) };
          },
        ],
      ],
      { position },
    );
    const startedAt = watch.clock.now();
    await watch.until('waiting (backoff): nothing came for 315 s: the connection is dead');
    expect(watch.clock.now() + hour - startedAt).toBe(315_000);
  });

  test('goes on from the last whole event after a line that was cut off', async () => {
    const cut = modified('b', '65').slice(0, 70);
    for (const body of [modified('a', '60') + cut, broken(modified('a', '60'), cut)]) {
      const watch = scriptedWatch(
        [
          ['look', look('70')],
          ['watch from 50', { body }],
          ['look', look('70')],
          ['watch from 60', { body: hanging(modified('b', '65')) }],
        ],
        { position },
      );
      const told = await watch.until('events MODIFIED b@65');
      expect(told.filter((words) => words.startsWith('events'))).toEqual([
        'events MODIFIED a@60',
        'events MODIFIED b@65',
      ]);
    }
  });

  test('takes a line of 3 MB, and U+2028 inside a string, as one event each', async () => {
    const big = line('MODIFIED', widget('big', '60', { text: 'x'.repeat(3_000_000) }));
    const odd = line('MODIFIED', widget('odd', '61', { text: 'a\u2028b' }));
    const watch = scriptedWatch(
      [
        ['look', look('70')],
        ['watch from 50', { body: hanging(big.slice(0, 1_000_000), big.slice(1_000_000) + odd) }],
      ],
      {
        position,
      },
    );
    await watch.until('watching from 50');
    const output = await watch.next();
    expect(output).toMatchObject({
      kind: 'events',
      events: [{ object: { name: 'big' } }, { object: { name: 'odd' } }],
    });
    const [first, second] =
      output?.kind === 'events' ? output.events.map(({ object }) => Buffer.from(object.object).toString()) : [];
    expect(first?.length).toBeGreaterThan(3_000_000);
    expect(JSON.parse(second ?? '')).toMatchObject({ spec: { text: 'a\u2028b' } });
  });

  test('treats what makes no sense as a refusal: the next attempt is not at once', async () => {
    const watch = scriptedWatch(
      [
        ['look', look('70')],
        ['watch from 50', { body: '<html>\n' }],
        ['look', look('70')],
      ],
      { position },
    );
    const startedAt = watch.clock.now();
    await watch.until('watching from 50');
    expect(await watch.until('present 70, same')).toContainEqual(expect.stringContaining('waiting (denied): '));
    expect(watch.clock.now() - startedAt).toBe(60_000);
  });
});

describe('when it is denied, throttled or down', () => {
  test('a 401 renews the credentials once, and a second one waits', async () => {
    const refused = statusAnswer(401, 'Unauthorized', 'Unauthorized');
    const watch = scriptedWatch(
      [
        ['look', look('70')],
        ['watch from 50', refused],
        ['watch from 50 with fresh credentials', { body: modified('a', '60') }],
        ['watch from 60', refused],
        ['watch from 60 with fresh credentials', refused],
        ['look', look('70')],
        ['watch from 60', { body: hanging(bookmark('61')) }],
      ],
      { position },
    );
    const told = await watch.until('bookmark 61');
    expect(told.filter((words) => words.startsWith('waiting'))).toEqual([
      'waiting (denied): 401 Unauthorized: Unauthorized',
    ]);
  });

  test.each([
    [403, 'denied', 60_000],
    [404, 'absent', 60_000],
    [500, 'backoff', 750],
  ] as const)('a %i waits (%s) and tries again', async (code, why, ms) => {
    const watch = scriptedWatch(
      [
        ['look', statusAnswer(code, 'Why', 'because')],
        ['look', look('70')],
        ['watch from 50', { body: hanging(bookmark('61')) }],
      ],
      { position },
    );
    const startedAt = watch.clock.now();
    expect(await watch.until('present 70, same')).toContain(`waiting (${why}): ${code} Why: because`);
    expect(watch.clock.now() - startedAt).toBe(ms);
  });

  test.each(['header', 'body'])('waits as long as Retry-After in the %s says', async (where) => {
    const inHeader = { ...statusAnswer(429, 'TooManyRequests', 'later'), headers: { 'retry-after': '17' } };
    const inBody = statusAnswer(429, 'TooManyRequests', 'later', { details: { retryAfterSeconds: 17 } });
    const watch = scriptedWatch(
      [
        ['look', where === 'header' ? inHeader : inBody],
        ['look', look('70')],
        ['watch from 50', { body: hanging(bookmark('61')) }],
      ],
      { position },
    );
    const startedAt = watch.clock.now();
    await watch.until('present 70, same');
    expect(watch.clock.now() - startedAt).toBe(17_000);
  });

  test('a server that is down is tried with growing waits, then the position is proved again', async () => {
    const watch = scriptedWatch(
      [
        ['look', unreachable],
        ['look', unreachable],
        ['look', unreachable],
        ['look', look('70')],
        ['watch from 50', { body: hanging(bookmark('61')) }],
      ],
      { position },
    );
    const startedAt = watch.clock.now();
    await watch.until('present 70, same');
    expect(watch.clock.now() - startedAt).toBe(750 + 1_500 + 3_000);
  });

  test('an ERROR event of 504 (a resourceVersion from the future) leads to a proof', async () => {
    const watch = scriptedWatch(
      [
        ['look', look('70')],
        ['watch from 50', { body: errorLine(504, 'Timeout', 'Too large resource version') }],
        ['look', look('40')],
      ],
      { position },
    );
    expect(await watch.until('present 40, restored')).toContain(
      'waiting (backoff): 504 Timeout: Too large resource version',
    );
  });

  test('what was processed before an ERROR event counts', async () => {
    const watch = scriptedWatch(
      [
        ['look', look('70')],
        ['watch from 50', { body: modified('a', '60') + errorLine(500, 'InternalError', 'etcd') }],
        ['look', look('70')],
        ['watch from 60', { body: hanging(bookmark('61')) }],
      ],
      { position },
    );
    await watch.until('bookmark 61');
    expect(watch.server.left()).toBe(0);
  });
});

describe('what comes from outside', () => {
  /** A control that gives one input when asked for the `at`-th time. */
  function control(kind: 'elapsed' | 'removed', at = 1): WatchControl {
    let calls = 0;
    return {
      next: (signal) => {
        calls += 1;
        return calls === at
          ? Promise.resolve<WatchInput & { kind: 'elapsed' | 'removed' }>({ kind })
          : new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      },
    };
  }

  test('a stream that waits ends where discovery says that its resource is gone', async () => {
    const watch = scriptedWatch([['look', statusAnswer(404, '', '404 page not found')]], {
      position,
      control: control('removed'),
    });
    expect((await watch.until('?')).slice(-2)).toEqual(['ended', 'the end']);
  });

  test('a parked stream tries at once where discovery sees its resource', async () => {
    const watch = scriptedWatch(
      [
        ['look', statusAnswer(404, '', '404 page not found')],
        ['look', look('70')],
      ],
      {
        position,
        control: control('elapsed'),
      },
    );
    const startedAt = watch.clock.now();
    await watch.until('present 70, same');
    expect(watch.clock.now()).toBe(startedAt);
  });

  test('a server that asked for time gets it, whatever discovery says meanwhile', async () => {
    const throttled = { ...statusAnswer(429, 'TooManyRequests', 'later'), headers: { 'retry-after': '17' } };
    const watch = scriptedWatch(
      [
        ['look', throttled],
        ['look', look('70')],
      ],
      { position, control: control('elapsed') },
    );
    const startedAt = watch.clock.now();
    await watch.until('present 70, same');
    expect(watch.clock.now() - startedAt).toBe(17_000);
  });

  test('a change of the served version takes effect at the next request', async () => {
    let path = '/apis/example.com/v1beta1/widgets';
    const watch = scriptedWatch(
      [
        ['look', look('70')],
        ['watch from 50', () => ((path = '/apis/example.com/v1/widgets'), { body: modified('a', '60') })],
        ['watch from 60', { body: hanging(bookmark('61')) }],
      ],
      { position, collection: () => ({ path, selector: {} }) },
    );
    await watch.until('bookmark 61');
    expect(watch.server.requests.map((request) => request.path)).toEqual([
      '/apis/example.com/v1beta1/widgets',
      '/apis/example.com/v1beta1/widgets',
      '/apis/example.com/v1/widgets',
    ]);
  });

  test('selectors go into every request, and metadata-only into what is accepted', async () => {
    const watch = scriptedWatch(
      [
        ['look', look('70')],
        ['watch from 50', { body: errorLine(410, 'Expired', 'x') }],
        ['streaming list', statusAnswer(422, 'Invalid', 'no')],
        ['first page', list('80', ['a'])],
      ],
      {
        position,
        collection: () => ({
          path: '/apis/example.com/v1/widgets',
          selector: { labelSelector: 'tier=gold', fieldSelector: 'spec.color=red' },
          metadataOnly: true,
        }),
      },
    );
    await watch.until('synced to 80 as of 80');
    for (const { query, headers } of watch.server.requests) {
      expect(query).toMatchObject({ labelSelector: 'tier=gold', fieldSelector: 'spec.color=red' });
      expect(headers?.accept).toMatch(
        /^application\/json;as=PartialObjectMetadata(List)?;g=meta\.k8s\.io;v=v1,application\/json$/,
      );
    }
  });

  test('an abort ends it with its reason, and closes what is open', async () => {
    const watch = scriptedWatch([['streaming list', { body: hanging(added('a', '5')) }]]);
    await watch.until('listed a@5');
    const next = watch.next();
    watch.stop.abort(new Error('told to stop'));
    await expect(next).rejects.toThrow('told to stop');
    expect(watch.server.open()).toBe(0);
    expect(watch.clock.timers).toBe(0);
  });

  test('an error of the record is not retried but thrown', async () => {
    const storage = new Mk8sError('The data folder is damaged', { code: 'storage' });
    const watch = scriptedWatch([], { position, record: { ...orderedRecord, newest: () => Promise.reject(storage) } });
    await expect(watch.until('?')).rejects.toThrow('damaged');
  });
});

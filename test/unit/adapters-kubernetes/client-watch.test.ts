import { describe, expect, test } from 'vitest';
import type { WatchEvent, WatchOptions } from '../../../lib/adapters/kubernetes/client-options.ts';
import type { ApiServer } from '../../../lib/ports/api-server.ts';
import type { Clock } from '../../../lib/ports/clock.ts';
import {
  broken,
  type FakeAnswer,
  type FakeApiServer,
  fakeApiServer,
  hanging,
  jsonAnswer,
  recordedAnswer,
  statusAnswer,
} from '../../support/fake-api-server.ts';
import { failure, fakeClient, widgets } from '../../support/fake-client.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { recordings } from '../../support/recordings.ts';
import { bookmark, errorLine, initialEnd, line, widget } from '../../support/watch-lines.ts';

/** Answers in turn; the last one for ever. */
function answering(...answers: readonly FakeAnswer[]): FakeApiServer {
  return fakeApiServer((_, count) => answers[Math.min(count, answers.length) - 1] ?? {});
}

/** The first `count` events, as short texts. */
async function first(count: number, api: ApiServer, options: WatchOptions = {}, clock?: Clock): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of fakeClient(api, clock).watch(widgets, options)) {
    seen.push(text(event));
    if (seen.length === count) break;
  }
  return seen;
}

function text(event: WatchEvent): string {
  if (event.type === 'RELIST') return 'RELIST';
  const name = event.type === 'BOOKMARK' ? (event.initialEventsEnd ? 'end' : '') : event.object.metadata?.name;
  return [event.type, name, event.resourceVersion].filter(Boolean).join(' ');
}

function starts(api: FakeApiServer): unknown[] {
  return api.requests.map(({ query }) =>
    query?.['watch'] === true ? (query['resourceVersion'] ?? 'initial') : 'list',
  );
}

const expired = errorLine(410, 'Expired', 'too old resource version: 5 (9)');
const added = line('ADDED', widget('w-1', '5'));
const open = (): FakeAnswer => ({ body: hanging(added, initialEnd('7'), line('MODIFIED', widget('w-1', '8'))) });

describe('a watch', () => {
  test('begins with the existing objects and goes on with changes on the same connection', async () => {
    const api = answering(open());
    expect(await first(2, api)).toEqual(['ADDED w-1 5', 'MODIFIED w-1 8']);
    expect(starts(api)).toEqual(['initial']);
    expect(api.open()).toBe(0);
  });

  test('tells bookmarks only on request, but not those before the existing objects are complete', async () => {
    const body = hanging(added, bookmark('6'), initialEnd('7'), bookmark('9'));
    expect(await first(3, answering({ body }), { bookmarks: true })).toEqual([
      'ADDED w-1 5',
      'BOOKMARK end 7',
      'BOOKMARK 9',
    ]);
  });

  test('goes on after a clean end where it stood, by the last event or bookmark', async () => {
    const api = answering(
      { body: added + initialEnd('7') },
      { body: line('DELETED', widget('w-1', '8')) },
      { body: bookmark('20') },
      { body: hanging(line('ADDED', widget('w-2', '21'))) },
    );
    expect(await first(3, api)).toEqual(['ADDED w-1 5', 'DELETED w-1 8', 'ADDED w-2 21']);
    expect(starts(api)).toEqual(['initial', '7', '8', '20']);
  });

  test.each([
    ['between two lines', [line('ADDED', widget('w-1', '8'))]],
    ['in the middle of a line', [line('ADDED', widget('w-1', '8')), '{"type":"ADDED","object":{"kind":']],
  ])('goes on where it stood after a connection that broke %s', async (_, parts) => {
    const api = answering({ body: broken(...parts) }, { body: hanging(line('ADDED', widget('w-2', '9'))) });
    expect(await first(2, api, { resourceVersion: '7' })).toEqual(['ADDED w-1 8', 'ADDED w-2 9']);
    expect(starts(api)).toEqual(['7', '8']);
  });

  test('goes on where it stood after a connection that was silent for longer than it can be', async () => {
    const clock = createManualClock();
    const api = fakeApiServer((_, count) => {
      if (count > 1) return { body: hanging(line('ADDED', widget('w-2', '9'))) };
      // 240 s × 1.5, and 15 s of grace.
      setImmediate(() => clock.advance(376_000));
      return { body: hanging() };
    });
    expect(await first(1, api, { resourceVersion: '7' }, clock)).toEqual(['ADDED w-2 9']);
    expect(starts(api)).toEqual(['7', '7']);
  });

  test("does not take its own consumer's slowness for silence", async () => {
    const clock = createManualClock();
    const lines = [line('ADDED', widget('w-1', '8')), line('ADDED', widget('w-2', '9'))];
    const api = answering({ body: lines });
    const events = fakeClient(api, clock).watch(widgets, { resourceVersion: '7' });
    await events.next();
    clock.advance(3_600_000);
    // What the clock set off, if anything, comes before this.
    await new Promise((resolve) => setImmediate(resolve));
    expect(await events.next()).toMatchObject({ value: { type: 'ADDED', resourceVersion: '9' } });
    expect(starts(api)).toEqual(['7']);
    await events.return();
  });

  test('waits a second before it asks again where a connection brought nothing', async () => {
    const clock = createManualClock();
    const api = answering({ body: '' }, { body: hanging(line('ADDED', widget('w-2', '9'))) });
    const slept: number[] = [];
    const sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
      if (signal !== undefined) return clock.sleep(ms, signal);
      slept.push(ms);
      return Promise.resolve();
    };
    expect(await first(1, api, { resourceVersion: '7' }, { now: () => clock.now(), sleep })).toEqual(['ADDED w-2 9']);
    expect(slept).toEqual([1000]);
  });

  test('lists in pages where there are no streaming lists, and follows from the first page on', async () => {
    const page = (name: string, metadata: object): FakeAnswer =>
      jsonAnswer({ apiVersion: 'example.com/v1', items: [widget(name, '1')], kind: 'WidgetList', metadata });
    const api = answering(
      statusAnswer(422, 'Invalid', 'sendInitialEvents is forbidden for watch'),
      page('w-1', { resourceVersion: '5', continue: 'next' }),
      page('w-2', { resourceVersion: '9', continue: '' }),
      { body: hanging(line('MODIFIED', widget('w-2', '10'))) },
    );
    expect(await first(3, api)).toEqual(['ADDED w-1 1', 'ADDED w-2 1', 'MODIFIED w-2 10']);
    expect(starts(api)).toEqual(['initial', 'list', 'list', '5']);
  });

  test.each([
    ['in the stream', { body: expired }],
    ['as a status', statusAnswer(410, 'Expired', 'too old resource version')],
  ])('throws 410 with what to do where the server no longer has what was missed (%s)', async (_, answer) => {
    const error = await failure(first(1, answering(answer), { resourceVersion: '5' }));
    expect(error).toMatchObject({ code: 'http', status: 410, reason: 'Expired' });
    expect(error.message).toBe(
      `Cannot watch widgets.example.com in cluster "a" without a gap: the server no longer knows resourceVersion 5, changes may be missing; list again, or ask with onGap: 'relist'`,
    );
  });

  test('lists again after a 410 where it is asked to, and says so before and after', async () => {
    const api = answering({ body: line('ADDED', widget('w-1', '6')) + expired }, open());
    const seen = await first(5, api, { resourceVersion: '5', onGap: 'relist' });
    expect(seen).toEqual(['ADDED w-1 6', 'RELIST', 'ADDED w-1 5', 'BOOKMARK end 7', 'MODIFIED w-1 8']);
    expect(starts(api)).toEqual(['5', 'initial']);
  });

  test('that breaks off among the existing objects has a gap: objects told of may be gone', async () => {
    const half = { body: added };
    const error = await failure(first(2, answering(half)));
    expect(error.message).toContain('the list of existing objects broke off');
    const list = { apiVersion: 'example.com/v1', kind: 'WidgetList', metadata: { resourceVersion: '7' }, items: [] };
    const seen = await first(3, answering(half, jsonAnswer(list)), { onGap: 'relist' });
    expect(seen).toEqual(['ADDED w-1 5', 'RELIST', 'BOOKMARK end 7']);
  });

  test('throws what a reconnect meets', async () => {
    const gone = { status: 404, headers: { 'content-type': 'text/plain' }, body: '404 page not found\n' };
    const error = await failure(first(2, answering({ body: added + initialEnd('7') }, gone)));
    expect(error).toMatchObject({ status: 404, retryable: false });
    expect(error.message).toBe('Cannot watch widgets.example.com in cluster "a": 404 page not found (404)');
  });

  test('that is aborted rejects with the reason itself, and its connection is closed', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const api = answering({ body: hanging(added) });
    const events = fakeClient(api).watch(widgets, { signal: controller.signal });
    await events.next();
    const next = events.next();
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(api.open()).toBe(0);
  });

  test('reads no further than its consumer', async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<string> {
      for (;;) {
        sent += 1;
        yield line('ADDED', widget(`w-${sent}`, String(sent)));
      }
    }
    await first(3, answering({ body: endless() }), { resourceVersion: '0' });
    expect(sent).toBe(3);
  });
});

describe.skipIf(!recordings)('a watch of recorded streams', () => {
  test('tells all initial objects, then the live events', async () => {
    const api = answering(recordedAnswer('v1.36.2/50-watch/watchlist-cluster'), { body: hanging() });
    const seen = await first(14, api, { bookmarks: true });
    expect(seen.slice(0, 13).every((event) => event.startsWith('ADDED'))).toBe(true);
    expect(seen[13]).toMatch(/^BOOKMARK end/);
  });

  test("sees a deleted CRD as its objects' deletion and then as 404", async () => {
    const api = answering(
      recordedAnswer('v1.36.2/05-crd/delete-while-watching'),
      recordedAnswer('v1.36.2/05-crd/delete-next-watch'),
    );
    const seen: string[] = [];
    const work = (async () => {
      for await (const event of fakeClient(api).watch(widgets, { resourceVersion: '341' })) seen.push(event.type);
    })();
    expect(await failure(work)).toMatchObject({ status: 404 });
    expect(new Set(seen)).toEqual(new Set(['DELETED']));
  });

  test('after a schema change resumes, meets 410, and tells of the gap', async () => {
    const api = answering(
      recordedAnswer('v1.36.2/05-crd/schema-update-while-watching'),
      recordedAnswer('v1.36.2/05-crd/schema-update-next-watch-from-old-rv'),
    );
    expect(await failure(first(100, api, { resourceVersion: '339' }))).toMatchObject({ status: 410 });
    expect(api.requests).toHaveLength(2);
  });
});

import { describe, expect, test } from 'vitest';
import { Mk8sError } from '../../../lib/model/errors.ts';
import type { ApiRequest } from '../../../lib/ports/api-server.ts';
import { type FakeAnswer, fakeApiServer, hanging, jsonAnswer, recordedAnswer } from '../../support/fake-api-server.ts';
import { drain, failure, fakeClient, widgets } from '../../support/fake-client.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { recordedExchange, recordings } from '../../support/recordings.ts';
import { initialEnd, line, widget } from '../../support/watch-lines.ts';

const pages = { streaming: false, pageSize: 5 };

function widgetList(items: object[], metadata: object): FakeAnswer {
  return jsonAnswer({ apiVersion: 'example.com/v1', items, kind: 'WidgetList', metadata });
}

function names(objects: readonly { metadata?: { name?: string } }[]): (string | undefined)[] {
  return objects.map((object) => object.metadata?.name);
}

describe.skipIf(!recordings)('a list in pages, as recorded', () => {
  test('goes from page to page by the tokens of the server and ends at the resourceVersion of all of them', async () => {
    const played = ['page-1', 'page-2-after-writes', 'page-3-last'].map((name) => `v1.36.2/20-list/${name}`);
    const api = fakeApiServer((_, count) => recordedAnswer(played[count - 1] ?? ''));
    const { items, end } = await drain(fakeClient(api).list(widgets, pages));
    expect(items).toHaveLength(12);
    expect(end).toEqual({ resourceVersion: '279', consistent: true });
    const recorded = played.map((name) => recordedExchange(name).request.query.get('continue') ?? undefined);
    expect(api.requests.map(({ query }) => query?.['continue'])).toEqual(recorded);
    expect(items[0]?.metadata).not.toHaveProperty('managedFields');
  });

  test.each([
    ['v1.36.2/25-expired', 'v1.36.2/25-expired/page-3-from-the-fresh-continue', '386'],
    ['v1.20.2/expired', undefined, undefined],
  ])(
    'goes on with the fresh token of a 410 and says that the list is not consistent (%s)',
    async (folder, last, first) => {
      const name = (page: string): string =>
        folder.endsWith('25-expired') ? `${folder}/${page}` : `${folder}-${page}`;
      const played = ['page-1', 'page-2-410-with-fresh-continue', 'page-2-from-the-fresh-continue'].map(name);
      if (last !== undefined) played.push(last);
      const api = fakeApiServer((_, count) => {
        const recorded = played[count - 1];
        return recorded === undefined
          ? widgetList([], { resourceVersion: '999', continue: '' })
          : recordedAnswer(recorded);
      });
      const { items, end } = await drain(fakeClient(api).list(widgets, pages));
      expect(new Set(names(items)).size).toBe(items.length);
      expect(items.length).toBeGreaterThanOrEqual(10);
      expect(end.consistent).toBe(false);
      const ofFirstPage = JSON.parse(recordedExchange(name('page-1')).response.body.toString()) as {
        metadata: { resourceVersion: string };
      };
      expect(end.resourceVersion).toBe(ofFirstPage.metadata.resourceVersion);
      if (first !== undefined) expect(end.resourceVersion).toBe(first);
    },
  );

  test('throws the 410 where it is asked to', async () => {
    const played = ['page-1', 'page-2-410-with-fresh-continue'];
    const api = fakeApiServer((_, count) => recordedAnswer(`v1.36.2/25-expired/${played[count - 1] ?? ''}`));
    const error = await failure(drain(fakeClient(api).list(widgets, { ...pages, onExpired: 'throw' })));
    expect(error).toMatchObject({ code: 'http', status: 410, reason: 'Expired' });
    expect(error.message).toMatch(/^Cannot list widgets\.example\.com in cluster "a": The provided continue parameter/);
  });

  test('gives items of built-in lists the kind and apiVersion that the server leaves out', async () => {
    const api = fakeApiServer(() => recordedAnswer('v1.36.2/20-list/core-namespaces-items-without-kind'));
    const namespaces = { group: '', version: 'v1', plural: 'namespaces', namespaced: false };
    const { items } = await drain(fakeClient(api).list(namespaces, pages));
    expect(items.length).toBeGreaterThan(0);
    for (const item of items) expect(item).toMatchObject({ apiVersion: 'v1', kind: 'Namespace' });
  });

  test('asks for metadata only by the Accept header that the server knows', async () => {
    const api = fakeApiServer(() => recordedAnswer('v1.36.2/20-list/metadata-only'));
    const list = fakeClient(api).list(widgets, { ...pages, metadataOnly: true, namespace: 'team-a' });
    expect((await list.next()).value).toMatchObject({ kind: 'PartialObjectMetadata' });
    await list.return({ resourceVersion: '', consistent: false });
    const { request } = recordedExchange('v1.36.2/20-list/metadata-only');
    expect(api.requests[0]?.headers?.['accept']).toBe(request.headers['accept']);
    expect(api.requests[0]?.path).toBe(request.path);
  });
});

describe.skipIf(!recordings)('a streaming list, as recorded', () => {
  test('ends at the bookmark that ends the initial events, and leaves the stream', async () => {
    const api = fakeApiServer(() => recordedAnswer('v1.36.2/50-watch/watchlist-cluster'));
    const { items, end } = await drain(fakeClient(api).list(widgets));
    expect(items).toHaveLength(13);
    expect(end.consistent).toBe(true);
    expect(api.open()).toBe(0);
    const sent = Object.entries(api.requests[0]?.query ?? {}).filter(([, value]) => value !== undefined);
    const asText = Object.fromEntries(sent.map(([name, value]) => [name, String(value)]));
    const recorded = Object.fromEntries(recordedExchange('v1.36.2/50-watch/watchlist-cluster').request.query);
    expect({ ...asText, timeoutSeconds: '' }).toEqual({ ...recorded, timeoutSeconds: '' });
  });

  test.each(['v1.36.2/55-watchlist-off/watchlist-422', 'v1.20.2/watchlist-422'])(
    'falls back to pages where the server refuses it, and does not ask again (%s)',
    async (refusal) => {
      const api = fakeApiServer(({ query }) =>
        recordedAnswer(query?.['watch'] === true ? refusal : 'v1.36.2/20-list/limit-larger-than-set'),
      );
      const client = fakeClient(api);
      expect((await drain(client.list(widgets))).items).toHaveLength(12);
      expect((await drain(client.list(widgets))).items).toHaveLength(12);
      expect(api.requests.map(({ query }) => query?.['watch'])).toEqual([true, undefined, undefined]);
    },
  );

  test('that never marks its end is an error which says so, and the next list is pages', async () => {
    const api = fakeApiServer(({ query }) =>
      recordedAnswer(
        query?.['watch'] === true
          ? 'v1.20.2/sendInitialEvents-without-rvmatch-ignored'
          : 'v1.36.2/20-list/limit-larger-than-set',
      ),
    );
    const client = fakeClient(api);
    const error = await failure(drain(client.list(widgets)));
    expect(error).toMatchObject({ code: 'interrupted', retryable: true });
    expect(error.message).toContain('ended the stream before it had marked the end of the existing objects');
    expect((await drain(client.list(widgets))).items).toHaveLength(12);
  });
});

describe('a streaming list', () => {
  test('that stays silent before its end is given up, and pages are asked for', async () => {
    const clock = createManualClock();
    const api = fakeApiServer(({ query }) => {
      if (query?.['watch'] !== true) return widgetList([widget('w-1', '5')], { resourceVersion: '6' });
      setImmediate(() => clock.advance(31_000));
      return { body: hanging() };
    });
    expect((await drain(fakeClient(api, clock).list(widgets))).end).toEqual({ resourceVersion: '6', consistent: true });
  });

  test('with a change before its end is not consistent, and ends where a watch brings that change again', async () => {
    const body = [
      line('ADDED', widget('w-1', '5')),
      line('ADDED', widget('w-2', '17')),
      line('ADDED', widget('w-3', '9')),
      line('MODIFIED', widget('w-1', '20')),
      initialEnd('21'),
    ].join('');
    const { items, end } = await drain(fakeClient(fakeApiServer(() => ({ body }))).list(widgets));
    expect(names(items)).toEqual(['w-1', 'w-2', 'w-3']);
    expect(end).toEqual({ resourceVersion: '17', consistent: false });
  });

  test('passes on an error that comes in the stream', async () => {
    const body = line('ERROR', { kind: 'Status', code: 504, reason: 'Timeout', message: 'Too large resource version' });
    const error = await failure(drain(fakeClient(fakeApiServer(() => ({ body }))).list(widgets)));
    expect(error).toMatchObject({ status: 504, reason: 'Timeout', retryable: true });
  });

  test('holds one batch: what follows is not read before it is asked for, and leaving closes the stream', async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<string> {
      for (;;) {
        sent += 1;
        yield line('ADDED', widget(`w-${sent}`, String(sent)));
      }
    }
    const api = fakeApiServer(() => ({ body: endless() }));
    for await (const object of fakeClient(api).list(widgets)) if (object.metadata?.name === 'w-3') break;
    expect(sent).toBe(3);
    expect(api.open()).toBe(0);
  });
});

describe('a list', () => {
  test('of all namespaces or one, with selectors, is asked for by path and parameters', async () => {
    const api = fakeApiServer(() => widgetList([], { resourceVersion: '1' }));
    const client = fakeClient(api);
    await drain(client.list(widgets, { streaming: false, labelSelector: 'tier in (gold,silver)' }));
    await drain(client.list(widgets, { streaming: false, namespace: 'team b', fieldSelector: 'spec.color=red' }));
    const asked = ({ path, query }: ApiRequest): object => ({ path, ...query });
    expect(api.requests.map(asked)).toMatchObject([
      { path: '/apis/example.com/v1/widgets', labelSelector: 'tier in (gold,silver)', limit: 500 },
      { path: '/apis/example.com/v1/namespaces/team%20b/widgets', fieldSelector: 'spec.color=red' },
    ]);
  });

  test.each([
    ['an error of its caller', new Error('enough')],
    ['an Mk8sError', new Mk8sError('The run ends.', { code: 'unreachable' })],
  ])('that is aborted rejects with the reason itself, %s', async (_, reason) => {
    const controller = new AbortController();
    const api = fakeApiServer(() => ({ body: hanging(line('ADDED', widget('w-1', '1'))) }));
    const list = fakeClient(api).list(widgets, { signal: controller.signal });
    await list.next();
    const next = list.next();
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(api.open()).toBe(0);
  });

  test('whose body breaks off says what was attempted, on which cluster, and that it can be tried again', async () => {
    const body = JSON.stringify({ apiVersion: 'example.com/v1', items: [widget('w-1', '1')] }).slice(0, -2);
    const error = await failure(drain(fakeClient(fakeApiServer(() => ({ body }))).list(widgets, pages)));
    expect(error.retryable).toBe(true);
    expect(error.message).toMatch(/^Cannot list widgets\.example\.com in cluster "a": /);
  });
});

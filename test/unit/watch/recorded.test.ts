// The watch over what real API servers sent, byte by byte, 1.36.2 and 1.20.2.
import { describe, expect, test } from 'vitest';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import { broken, type FakeAnswer, hanging, recordedAnswer } from '../../support/fake-api-server.ts';
import { recordedExchange, recordings } from '../../support/recordings.ts';
import { type ScriptedWatch, scriptedWatch } from '../../support/scripted-watch.ts';

const at = (version: string) => ({ epoch: 1, resourceVersion: resourceVersion(version) });

/** A recorded answer in pieces of so many bytes, each a read of its own. */
function inPieces(name: string, bytes: number, end: 'ends' | 'hangs' = 'hangs'): FakeAnswer {
  const { status, headers, body } = recordedExchange(name).response;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < body.length; from += bytes) yield body.subarray(from, from + bytes);
    if (end === 'hangs') await new Promise<never>(() => {});
  }
  return { status, headers, body: pieces() };
}

const look = (version: string): FakeAnswer => ({
  body: JSON.stringify({ kind: 'WidgetList', apiVersion: 'v1', items: [], metadata: { resourceVersion: version } }),
});
const text = (name: string): string => recordedExchange(name).response.body.toString('utf8');
/** The continue token in an answer. */
const token = (name: string): string =>
  (JSON.parse(text(name)) as { metadata: { continue: string } }).metadata.continue;

/** Names of the objects listed, and the events, whatever batches they came in. */
function summary(told: readonly string[]): { listed: string[]; events: string[] } {
  const words = (prefix: string, separator: string): string[] =>
    told.flatMap((line) => (line.startsWith(prefix) ? line.slice(prefix.length).split(separator) : []));
  return { listed: words('listed ', ' '), events: words('events ', ', ') };
}

async function resumed(watch: ScriptedWatch, version: string): Promise<void> {
  await watch.until(`watching from ${version}`);
}

describe.skipIf(recordings === undefined)('on recordings (skipped without MK8S_RECORDINGS)', () => {
  test.each([1, 7, 2048, 1_000_000])('a streaming list becomes a watch, in pieces of %i bytes', async (bytes) => {
    const watch = scriptedWatch([['streaming list', inPieces('v1.36.2/50-watch/watchlist-cluster', bytes)]]);
    const told = await watch.until('bookmark 335');
    const { listed, events } = summary(told);
    expect(listed).toEqual(
      'w-03@284 w-06@264 w-09@267 w-12@280 w-01@259 w-04@262 w-07@265 w-10@268 applied@302 w-02@260 w-05@263 w-08@266 w-11@269'.split(
        ' ',
      ),
    );
    expect(told).toContain('synced to 321 as of 321');
    expect(events).toEqual([
      'ADDED live-1@322',
      ...[323, 324, 325, 326, 328, 329, 330].map((version) => `MODIFIED live-1@${version}`),
      'DELETED live-1@331',
      'ADDED live-2@332',
      'DELETED live-2@333',
    ]);
  });

  test('an empty collection is synchronised by its end mark alone', async () => {
    const watch = scriptedWatch([['streaming list', inPieces('v1.36.2/50-watch/watchlist-empty-collection', 2048)]]);
    const told = await watch.until('watching from 321');
    expect(summary(told).listed).toEqual([]);
  });

  test('leaving and entering a label selector come as DELETED and ADDED', async () => {
    const watch = scriptedWatch([['streaming list', inPieces('v1.36.2/50-watch/watchlist-label-selector', 2048)]]);
    const told = await watch.until('bookmark 335');
    expect(
      summary(told)
        .events.filter((event) => !event.startsWith('MODIFIED'))
        .slice(0, 4),
    ).toEqual(['ADDED live-1@322', 'DELETED live-1@324', 'ADDED live-1@328', 'DELETED live-1@331']);
  });

  test('a streaming list of metadata only reads alike', async () => {
    const watch = scriptedWatch([['streaming list', inPieces('v1.36.2/50-watch/watchlist-metadata-only', 2048)]]);
    const told = await watch.until('bookmark 335');
    expect(summary(told).listed.map((object) => object.split('@')[0])).toEqual(['w-03', 'w-06', 'w-09', 'w-12']);
  });

  test.each([
    ['1.36.2 with the gate off', 'v1.36.2/55-watchlist-off/watchlist-422'],
    ['1.20.2', 'v1.20.2/watchlist-422'],
  ])('a server that refuses streaming lists (%s) is asked for pages, which end in a watch', async (_, refusal) => {
    const pages = ['page-1', 'page-2', 'page-3-last'].map((page) => `v1.20.2/${page}`) as [string, string, string];
    const watch = scriptedWatch([
      ['streaming list', recordedAnswer(refusal)],
      ['first page', recordedAnswer(pages[0])],
      [`page ${token(pages[0])}`, recordedAnswer(pages[1])],
      [`page ${token(pages[1])}`, recordedAnswer(pages[2])],
    ]);
    const { resourceVersion: version } = (JSON.parse(text(pages[2])) as { metadata: { resourceVersion: string } })
      .metadata;
    const told = await watch.until(`watching from ${version}`);
    const items = pages.flatMap(
      (page) => (JSON.parse(text(page)) as { items: { metadata: { name: string } }[] }).items,
    );
    expect(summary(told).listed.map((object) => object.split('@')[0])).toEqual(
      items.map(({ metadata }) => metadata.name),
    );
    expect(told).toContain(`synced to ${version} as of ${version}`);
  });

  test.each(['sendInitialEvents-without-rvmatch-ignored', 'sendInitialEvents-from-rv-ignored'])(
    'a server that ignores the question (1.20.2: %s) is found out, and asked for pages',
    async (name) => {
      const watch = scriptedWatch([
        ['streaming list', inPieces(`v1.20.2/${name}`, 512, 'ends')],
        ['first page', recordedAnswer('v1.20.2/page-3-last')],
      ]);
      const told = await watch.until('paging');
      expect(told.some((line) => line.startsWith('synced') || line.startsWith('bookmark'))).toBe(false);
    },
  );

  test('promise 1: pages that went on from a fresh token are followed by a watch from the first page', async () => {
    const folder = 'v1.36.2/25-expired';
    const watch = scriptedWatch([
      ['streaming list', recordedAnswer('v1.36.2/55-watchlist-off/watchlist-422')],
      ['first page', recordedAnswer(`${folder}/page-1`)],
      [`page ${token(`${folder}/page-1`)}`, recordedAnswer(`${folder}/page-2-410-with-fresh-continue`)],
      [
        `page ${token(`${folder}/page-2-410-with-fresh-continue`)}`,
        recordedAnswer(`${folder}/page-2-from-the-fresh-continue`),
      ],
      [
        `page ${token(`${folder}/page-2-from-the-fresh-continue`)}`,
        recordedAnswer(`${folder}/page-3-from-the-fresh-continue`),
      ],
      ['watch from 386', { body: hanging() }],
    ]);
    const told = await watch.until('watching from 386');
    expect(summary(told).listed).toHaveLength(12);
    expect(told).toContain('synced to 386 as of 386');
  });

  test('promise 1: 410 as an event leads to a comparison', async () => {
    const watch = scriptedWatch(
      [
        ['look', look('447')],
        ['watch from 441', recordedAnswer('v1.36.2/25-expired/watch-410-after-restart')],
      ],
      { position: at('441') },
    );
    await resumed(watch, '441');
    expect(await watch.until('streaming')).toEqual(['streaming']);
  });

  test('a changed CRD ends the watch in order, and the next one, from before the change, expires', async () => {
    const watch = scriptedWatch(
      [
        ['look', look('340')],
        ['watch from 339', recordedAnswer('v1.36.2/05-crd/schema-update-while-watching')],
        ['watch from 341', recordedAnswer('v1.36.2/05-crd/schema-update-next-watch-from-old-rv')],
      ],
      { position: at('339') },
    );
    await resumed(watch, '339');
    expect(await watch.until('streaming')).toEqual(['events MODIFIED w-03@341', 'streaming']);
  });

  test('a deleted CRD deletes its objects and ends the watch; the 404 parks the stream until discovery decides', async () => {
    const watch = scriptedWatch(
      [
        ['look', look('341')],
        ['watch from 341', recordedAnswer('v1.36.2/05-crd/delete-while-watching')],
        ['watch from 356', recordedAnswer('v1.36.2/05-crd/delete-next-watch')],
      ],
      { position: at('341'), control: { next: () => Promise.resolve({ kind: 'removed' }) } },
    );
    await resumed(watch, '341');
    const told = await watch.until('?');
    expect(summary(told).events).toHaveLength(13);
    expect(told.slice(-3)).toEqual([
      expect.stringMatching(/^waiting \(absent\): 404 .*page not found/),
      'ended',
      'the end',
    ]);
  });

  test('a server killed in the middle of a watch loses nothing: it goes on from the last whole event', async () => {
    const watch = scriptedWatch([
      ['streaming list', { body: broken(text('v1.36.2/80-restart/kill-9-mid-watch-h1')) }],
      ['look', recordedAnswer('v1.36.2/80-restart/startup/2-429-watch')],
      ['look', look('442')],
      ['watch from 442', { body: hanging() }],
    ]);
    const told = await watch.until('present 442, same');
    expect(summary(told).events).toEqual(['MODIFIED w-06@442']);
    expect(told).toContainEqual(
      expect.stringContaining('waiting (throttled): 429 TooManyRequests: storage is (re)initializing'),
    );
  });

  test('a line of a megabyte is one event', async () => {
    const watch = scriptedWatch(
      [
        ['look', look('428')],
        ['watch from 428', inPieces('v1.36.2/50-watch/big-1MiB-line', 65_536)],
      ],
      { position: at('428') },
    );
    await resumed(watch, '428');
    const output = await watch.next();
    expect(output).toMatchObject({ kind: 'events' });
    expect(output?.kind === 'events' && output.events[0]?.object.object.byteLength).toBeGreaterThan(999_000);
  });

  test('a streaming list from the future is an error in the stream (504), and waits', async () => {
    const watch = scriptedWatch([['streaming list', recordedAnswer('v1.36.2/50-watch/watchlist-future-rv')]]);
    await watch.until('sync, first, epoch 1');
    expect(await watch.until('streaming')).toEqual([expect.stringContaining('504 Timeout'), 'streaming']);
  });
});

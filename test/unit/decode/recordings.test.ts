// Decoding what real API servers sent, against JSON.parse. Needs MK8S_RECORDINGS; skipped without.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeList } from '../../../lib/decode/list-stream.ts';
import { parseStatus } from '../../../lib/decode/status.ts';
import { decodeWatch } from '../../../lib/decode/watch-stream.ts';
import { type RecordedExchange, recordedExchange, recordings } from '../../support/recordings.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { collect, cut, items, whole } from './bodies.ts';
import { expectScanned } from './oracle.ts';

interface Recorded extends RecordedExchange {
  readonly name: string;
}

const exchanges: readonly Recorded[] =
  recordings === undefined
    ? []
    : readFileSync(join(recordings, 'INDEX.jsonl'), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { name: string }).name)
        .map((name) => ({ name, ...recordedExchange(name) }));

const readable = exchanges.filter(
  ({ request, response }) =>
    request.method === 'GET' && response.status === 200 && response.headers['content-encoding'] === undefined,
);
const isTable = ({ request }: Recorded): boolean => /as=Table/.test(request.headers['accept'] ?? '');
const watches = readable.filter(({ request }) => /^(?:true|1)$/.test(request.query.get('watch') ?? ''));
const lists = readable.filter(
  ({ request, response }) =>
    !request.query.has('watch') && /"items": ?\[/.test(response.body.toString()) && !/^\/apis?$/.test(request.path),
);

/** Compares what was decoded of a watch with JSON.parse of its lines. */
async function expectWatch(decoded: ReturnType<typeof decodeWatch>, body: Buffer): Promise<void> {
  const { values, error } = await collect(decoded);
  expect(error).toBeUndefined();
  const texts = body
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
  const lines = values.flat();
  expect(lines).toHaveLength(texts.length);
  for (const [n, line] of lines.entries()) {
    const text = texts[n] ?? '';
    const { type, object } = JSON.parse(text) as {
      type: string;
      object: { code?: number; metadata: { resourceVersion: string; annotations?: Record<string, string> } };
    };
    if (line.kind === 'object') {
      expect(line.type).toBe(type);
      expectScanned(line.object, text.slice(text.indexOf('"object":') + '"object":'.length, -1));
    } else if (line.kind === 'bookmark') {
      expect(type).toBe('BOOKMARK');
      expect(line).toMatchObject({
        resourceVersion: object.metadata.resourceVersion,
        initialEventsEnd: object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true',
      });
    } else {
      expect(type).toBe('ERROR');
      expect(line.status.code).toBe(object.code);
    }
  }
}

/** Compares what was decoded of a list with JSON.parse of it. */
async function expectList(decoded: ReturnType<typeof decodeList>, body: Buffer): Promise<void> {
  interface List {
    readonly kind: string;
    readonly apiVersion: string;
    readonly items: readonly object[];
    readonly metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  }
  const list = JSON.parse(body.toString('utf8')) as List;
  const { values, error } = await collect(decoded);
  expect(error).toBeUndefined();
  const { resourceVersion, continue: token = '', remainingItemCount } = list.metadata;
  expect(values.at(-1)).toEqual({
    kind: 'end',
    resourceVersion,
    continueToken: token,
    ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
  });
  const objects = values.flatMap((part) => (part.kind === 'objects' ? part.objects : []));
  expect(objects).toHaveLength(list.items.length);
  const defaults = { apiVersion: list.apiVersion, kind: list.kind.replace(/List$/, '') };
  for (const [n, object] of objects.entries()) expectScanned(object, JSON.stringify(list.items[n]), defaults);
}

describe.skipIf(recordings === undefined)('recordings of real API servers (MK8S_RECORDINGS)', () => {
  test('hold watches and lists of both versions', () => {
    for (const version of ['v1.36.2/', 'v1.20.2/']) {
      expect(watches.filter(({ name }) => name.startsWith(version)).length).toBeGreaterThan(5);
      expect(lists.filter(({ name }) => name.startsWith(version)).length).toBeGreaterThan(3);
    }
  });

  test.each(watches.filter((exchange) => !isTable(exchange)))(
    'watch $name, whole and in random pieces',
    async ({ response: { body } }) => {
      await expectWatch(decodeWatch(whole(body)), body);
      const random = seededRandom(body.length);
      for (let round = 0; round < 4; round++)
        await expectWatch(decodeWatch(cut(body, random), { ownsChunks: round % 2 === 0 }), body);
    },
  );

  test.each(lists)('list $name, whole and in random pieces', async ({ response: { body } }) => {
    await expectList(decodeList(whole(body)), body);
    const random = seededRandom(body.length);
    for (let round = 0; round < 4; round++) await expectList(decodeList(cut(body, random)), body);
  });

  test.each(watches.filter(isTable))('a watch of Tables is refused: $name', async ({ response: { body } }) => {
    const { error } = await collect(decodeWatch(whole(body)));
    expect(error).toMatchObject({ code: 'protocol', message: expect.stringContaining('Table') as string });
  });

  test.each(['50-watch/watchlist-cluster', '80-restart/kill-9-mid-watch-h1', '80-restart/sigterm-mid-watch-h1'])(
    'watch %s in the chunks in which it came',
    async (name) => {
      const chunks = httpChunks(readFileSync(join(recordings ?? '', 'v1.36.2', `${name}.raw`)));
      expect(chunks.length).toBeGreaterThan(1);
      await expectWatch(decodeWatch(items(...chunks.map((chunk) => [chunk]))), Buffer.concat(chunks));
    },
  );

  test.each(exchanges.filter(({ response }) => response.status >= 400))(
    'error $name gives a status',
    ({ response: { status, headers, body } }) => {
      const parsed = parseStatus(body, status);
      expect(parsed.code).toBe(status);
      if (headers['content-type']?.startsWith('application/json') !== true || !body.includes('"Status"')) {
        expect(parsed).toEqual({ code: status, reason: '', message: body.toString('utf8').trim().slice(0, 500) });
        return;
      }
      const expected = JSON.parse(body.toString('utf8')) as {
        reason?: string;
        message?: string;
        metadata?: { continue?: string };
      };
      expect(parsed.reason).toBe(expected.reason ?? '');
      expect(parsed.message).toBe(expected.message ?? '');
      expect(parsed.continueToken).toBe(expected.metadata?.continue);
    },
  );
});

/** The chunks of a response in HTTP/1.1's chunked coding. */
function httpChunks(raw: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = raw.indexOf('\r\n\r\n') + 4; at < raw.length; ) {
    const sizeEnd = raw.indexOf('\r\n', at);
    const size = Number.parseInt(raw.toString('latin1', at, sizeEnd), 16);
    if (size === 0) break;
    chunks.push(raw.subarray(sizeEnd + 2, sizeEnd + 2 + size));
    at = sizeEnd + 2 + size + 2;
  }
  return chunks;
}

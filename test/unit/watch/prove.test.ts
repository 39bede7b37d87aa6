// Whether a resourceVersion still means the same: what each witness says, and how many are asked.
import { describe, expect, test } from 'vitest';
import { recordReader } from '../../../lib/bridge/recorder.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import type { Revision, ScannedObject } from '../../../lib/model/revision.ts';
import { judge, type ProofContext, prove as proveIn } from '../../../lib/watch/prove.ts';
import type { RecordReader } from '../../../lib/watch/record-reader.ts';
import type { Collection } from '../../../lib/watch/requests.ts';
import type { Verdict } from '../../../lib/watch/state.ts';
import { change, testStream } from '../../support/changes.ts';
import { fakeApiServer, jsonAnswer, statusAnswer } from '../../support/fake-api-server.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { createScriptedClock, settle } from '../../support/scripted-clock.ts';
import { asked } from '../../support/scripted-server.ts';
import { bookmark, errorLine, line } from '../../support/watch-lines.ts';

const rv = resourceVersion;
const position = rv('100');

function witness(version: string, more: Partial<Revision> = {}): Revision {
  return { ...change('w', version), stream: testStream(), epoch: 1, sequence: 1, position: 1, previous: 0, ...more };
}
const { log } = createMemoryStore(createManualClock());
const exact = recordReader(log, testStream());
const live = (version: string, uid = 'uid-w'): ScannedObject => change('w', version, { uid });

describe('a witness', () => {
  test.each<[string, Revision, string, ScannedObject | undefined, Verdict | undefined]>([
    ['as recorded', witness('90'), '120', live('90'), 'same'],
    ['changed since', witness('90'), '120', live('110'), undefined],
    ['vanished since', witness('90'), '120', undefined, undefined],
    ['older than recorded', witness('90'), '120', live('40'), 'restored'],
    ['newer, but from before our position', witness('90'), '120', live('95'), 'restored'],
    ['another object, from before our position', witness('90'), '120', live('95', 'other'), 'restored'],
    ['another object, made since', witness('90'), '120', live('110', 'other'), undefined],
    ['a present that is behind', witness('90'), '99', live('90'), 'restored'],
    ['a present that is where we are', witness('90'), '100', live('90'), 'same'],
    ['deleted, and still gone', witness('90', { type: 'delete' }), '120', undefined, undefined],
    ['deleted, and back with the same uid', witness('90', { type: 'delete' }), '120', live('80'), 'restored'],
    ['deleted, and made anew', witness('90', { type: 'delete' }), '120', live('110', 'other'), undefined],
  ])('promise 10: %s', (_, recorded, present, object, verdict) => {
    expect(judge(recorded, { present: rv(present), object }, position, exact)).toBe(verdict);
  });

  test('that is newer than its revision decides nothing where changes that alter nothing are left out', () => {
    const sparse = recordReader(log, testStream(), { sparse: true });
    expect(judge(witness('90'), { present: rv('120'), object: live('95') }, position, sparse)).toBeUndefined();
    expect(judge(witness('90'), { present: rv('120'), object: live('40') }, position, sparse)).toBe('restored');
  });
});

test('promise 10: a witness that is the same state in other bytes shows neither a restore nor that there was none', () => {
  const told = { present: rv('120'), object: live('90') };
  expect(judge(witness('90'), told, position, { holds: () => false })).toBeUndefined();
});

describe('a proof', () => {
  const clock = createScriptedClock();
  const prove = (api: ProofContext['api'], asked: Collection, at: typeof position, record: RecordReader) => {
    const { signal } = new AbortController();
    return settle(
      proveIn({ api, collection: asked, position: at, record, epoch: 1, clock, signal, freshCredentials: false }),
      clock,
    );
  };
  const collection = { path: '/apis/example.com/v1/widgets', selector: {} };
  /** The object as `change` makes it. */
  const whole = (name: string, version: string) => ({
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name, namespace: 'ns', uid: `uid-${name}`, resourceVersion: version },
  });
  const list = (version: string, items: object[]) =>
    jsonAnswer({ kind: 'WidgetList', apiVersion: 'v1', metadata: { resourceVersion: version }, items });

  const listed = (name: string, version: number, more: Parameters<typeof change>[2] = {}) =>
    change(name, version, {
      type: 'add',
      origin: 'snapshot',
      object: JSON.stringify(whole(name, String(version))),
      ...more,
    });

  test('promise 8: that is not answered is given up and tried again, not waited for', async () => {
    const { reader } = await record(1);
    const silent = fakeApiServer(
      ({ signal }) =>
        new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    await expect(prove(silent, collection, position, reader)).rejects.toMatchObject({
      code: 'unreachable',
      retryable: true,
    });
  });

  async function record(count: number) {
    const clock = createManualClock();
    const store = createMemoryStore(clock);
    const changes = Array.from({ length: count }, (_, index) => listed(`w-${index}`, 10 + index));
    await store.log.append(testStream(), { fence: 1, epoch: 1, changes });
    return { clock, store, reader: recordReader(store.log, testStream()) };
  }

  test('asks about the newest object, in its namespace, and is content where it is unchanged', async () => {
    const { reader } = await record(3);
    const api = fakeApiServer(() => list('120', [whole('w-2', '12')]));
    expect(await prove(api, collection, position, reader)).toMatchObject({ verdict: 'same', present: '120' });
    expect(api.requests).toHaveLength(1);
    expect(api.requests[0]).toMatchObject({
      path: '/apis/example.com/v1/namespaces/ns/widgets',
      query: { limit: 1, fieldSelector: 'metadata.name=w-2' },
    });
  });

  test('promise 1: decides nothing where a comparison that never came to its end recorded more than our position', async () => {
    const { store, reader } = await record(3);
    // Deleted, says the list; a watch from our position would not tell that it was not, after a restore.
    const gone = { type: 'delete', origin: 'relist', asOf: '110' } as const;
    await store.log.append(testStream(), { fence: 1, epoch: 1, changes: [listed('w-0', 10, gone)] });
    const api = fakeApiServer(() => list('120', [whole('w-2', '12')]));
    expect(await prove(api, collection, position, reader)).toMatchObject({ verdict: 'unproven', present: '120' });
    const behind = fakeApiServer(() => list('99', [whole('w-2', '12')]));
    expect(await prove(behind, collection, position, reader)).toMatchObject({ verdict: 'restored' });
    expect(await prove(api, collection, rv('110'), reader)).toMatchObject({ verdict: 'same' });
    // Of another epoch, resourceVersions do not compare.
    const newer = (limit: number) => reader.newest(limit).then((all) => all.map((each) => ({ ...each, epoch: 0 })));
    expect(await prove(api, collection, position, { ...reader, newest: newer })).toMatchObject({ verdict: 'same' });
  });

  test('asks older ones while the newest decide nothing, but not for ever', async () => {
    const { reader } = await record(40);
    const moved = fakeApiServer((request) =>
      list('120', asked(request) === 'look at w-37' ? [whole('w-37', '47')] : []),
    );
    expect(await prove(moved, collection, position, reader)).toMatchObject({ verdict: 'same' });
    expect(moved.requests.map(asked)).toEqual(['look at w-39', 'look at w-38', 'look at w-37']);
    const gone = fakeApiServer(() => list('120', []));
    expect(await prove(gone, collection, position, reader)).toMatchObject({ verdict: 'unproven' });
    expect(gone.requests).toHaveLength(12);
  });

  test('keeps the selectors of the stream in each question', async () => {
    const { reader } = await record(1);
    const api = fakeApiServer(() => list('120', [whole('w-0', '10')]));
    const selector = { namespace: 'ns', labelSelector: 'a=b', fieldSelector: 'spec.color=red' };
    await prove(api, { path: '/apis/example.com/v1/namespaces/ns/widgets', selector }, position, reader);
    expect(api.requests[0]).toMatchObject({
      path: '/apis/example.com/v1/namespaces/ns/widgets',
      query: { labelSelector: 'a=b', fieldSelector: 'spec.color=red,metadata.name=w-0' },
    });
  });

  test.each([
    ['nothing lives', [], '120', 'same'],
    // The first object is new; one behind it may be older than our position, from the life that a restore began.
    ['something new lives', [whole('n', '110')], '120', 'unproven'],
    ['something lives that we should know', [whole('n', '90')], '120', 'unproven'],
    ['the present is behind', [], '99', 'restored'],
  ])('promise 1: with an empty record: %s', async (_, items, present, verdict) => {
    const { reader } = await record(0);
    expect(
      await prove(
        fakeApiServer(() => list(present, items)),
        collection,
        position,
        reader,
      ),
    ).toMatchObject({ verdict });
  });

  describe('by the newest change, which a watch from the change before it has to tell again', () => {
    async function watched() {
      const { store, reader } = await record(2);
      const event = (name: string, version: number) => listed(name, version, { type: 'update', origin: 'watch' });
      await store.log.append(testStream(), { fence: 1, epoch: 1, changes: [event('w-0', 90), event('w-1', 95)] });
      return reader;
    }
    const server = (...lines: string[]) =>
      fakeApiServer((request) =>
        request.query?.watch === true ? { body: lines.join('') } : list('120', [whole('w-1', '95')]),
      );

    test.each([
      ['told as recorded', [line('MODIFIED', whole('w-1', '95'))], 'same'],
      ['another one is told', [line('MODIFIED', whole('w-9', '93'))], 'restored'],
      ['it is forgotten', [errorLine(410, 'Expired', 'too old')], 'unproven'],
      ['a bookmark comes instead', [bookmark('120')], 'unproven'],
      ['nothing comes', [], 'unproven'],
    ])('promise 10: %s', async (_, lines, verdict) => {
      const api = server(...lines);
      const proof = await prove(api, collection, position, await watched());
      expect(proof).toMatchObject({ verdict, present: '120' });
      expect(api.requests.map(asked)).toEqual(['look at w-1', 'watch from 90']);
      expect(api.open()).toBe(0);
    });

    test('reads to its end what is refused with the status 410, which leaves no connection open', async () => {
      const api = fakeApiServer((request) =>
        request.query?.watch === true ? statusAnswer(410, 'Expired', 'too old') : list('120', [whole('w-1', '95')]),
      );
      let read = 0;
      const counted: ProofContext['api'] = {
        ...api,
        async request(asked) {
          const response = await api.request(asked);
          const body = (async function* () {
            yield* response.body;
            read += 1;
          })();
          return { ...response, body };
        },
      };
      expect(await prove(counted, collection, position, await watched())).toMatchObject({ verdict: 'unproven' });
      expect(read).toBe(api.requests.length);
    });

    test('and the watch goes on from there, so that nothing between it and the position is passed over', async () => {
      const proof = await prove(server(line('MODIFIED', whole('w-1', '95'))), collection, position, await watched());
      expect(proof).toMatchObject({ from: '95' });
    });

    test('promise 10: what a list that broke off had shown before the watch told of it is no other change', async () => {
      const { store, reader } = await record(1);
      const changes = [
        listed('shown', 93),
        change('gone', 80, { type: 'delete', origin: 'relist', asOf: '94' }),
        listed('w-0', 90, { type: 'update', origin: 'watch' }),
        listed('w-1', 95, { type: 'update', origin: 'watch' }),
      ];
      await store.log.append(testStream(), { fence: 1, epoch: 1, changes });
      const told = [
        line('ADDED', whole('shown', '92')),
        line('MODIFIED', whole('shown', '93')),
        line('DELETED', whole('gone', '94')),
      ];
      const api = server(...told, line('MODIFIED', whole('w-1', '95')));
      expect(await prove(api, collection, position, reader)).toMatchObject({ verdict: 'same', from: '95' });
      const another = server(...told, line('MODIFIED', whole('w-9', '94')), line('MODIFIED', whole('w-1', '95')));
      expect(await prove(another, collection, position, reader)).toMatchObject({ verdict: 'restored' });
    });

    test('where it is forgotten, an object as recorded shows enough if nothing was told since', async () => {
      const api = server(errorLine(410, 'Expired', 'too old'));
      expect(await prove(api, collection, rv('95'), await watched())).toMatchObject({ verdict: 'same', from: '95' });
    });
  });

  test('hands on a refusal', async () => {
    const { reader } = await record(1);
    const api = fakeApiServer(() => statusAnswer(403, 'Forbidden', 'no'));
    expect(await prove(api, collection, position, reader)).toMatchObject({
      kind: 'status',
      code: 403,
      reason: 'Forbidden',
    });
  });

  test('finds witnesses also where retention removed the newest revision', async () => {
    const { clock, store, reader } = await record(3);
    await store.log.append(testStream(), { fence: 1, epoch: 1, changes: [change('w-2', 20, { type: 'delete' })] });
    await store.checkpoints.compareAndSet(testStream(), undefined, { epoch: 1, published: 4, fence: 1, updatedAt: 0 });
    clock.advance(1_000);
    await store.retain({ maxAgeMs: 0 }, 1);
    expect((await reader.newest(64)).map(({ name }) => name)).toEqual(['w-1', 'w-0']);
  });

  test('takes fewer witnesses where objects are so large that the newest do not fit', async () => {
    const store = createMemoryStore(createManualClock());
    const big = '{"x":"'.concat('y'.repeat(1_500_000), '"}');
    const changes = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, index) =>
      change(name, index + 1, { type: 'add', object: big }),
    );
    await store.log.append(testStream(), { fence: 1, epoch: 1, changes });
    const newest = await recordReader(store.log, testStream()).newest(64);
    expect(newest[0]?.name).toBe('f');
  });
});

import { describe, expect, test } from 'vitest';
import { type DecodeListOptions, decodeList, type ListPart } from '../../../lib/decode/list-stream.ts';
import { broken, collect, items, whole } from './bodies.ts';
import { expectScanned } from './oracle.ts';

const ITEM = (name: string): string =>
  `{"apiVersion":"v1","kind":"W","metadata":{"name":"${name}"},"spec":{"a":["]","}"]}}`;
const UNTYPED = (name: string): string => `{"metadata":{"name":"${name}"},"data":{"kind":"x"}}`;
const END = { kind: 'end', resourceVersion: '279', continueToken: '' };

async function decode(body: string, options?: DecodeListOptions): Promise<ListPart[]> {
  const { values, error } = await collect(decodeList(whole(body), options));
  if (error !== undefined) throw error;
  return values;
}

function names(parts: readonly ListPart[]): string[] {
  return parts.flatMap((part) => (part.kind === 'objects' ? part.objects.map(({ name }) => name) : []));
}

describe('the body of a list', () => {
  test('may say what it is after its items, as lists of custom resources do', async () => {
    const parts = await decode(
      `{"apiVersion":"v1","items":[${ITEM('a')},${ITEM('b')}],"kind":"WList","metadata":{"continue":"abc","remainingItemCount":7,"resourceVersion":"279"}}\n`,
    );
    expect(names(parts)).toEqual(['a', 'b']);
    expect(parts.at(-1)).toEqual({ ...END, continueToken: 'abc', remainingItemCount: 7 });
  });

  test('may say what it is before its items, which then need not: they are given kind and apiVersion', async () => {
    const parts = await decode(
      `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"279"},"items":[${UNTYPED('a')},${ITEM('b')}]}`,
    );
    const objects = parts.flatMap((part) => (part.kind === 'objects' ? part.objects : []));
    expect(objects.map(({ kind, apiVersion }) => `${apiVersion} ${kind}`)).toEqual(['v1 ConfigMap', 'v1 W']);
    expect(Buffer.from(objects[0]?.object ?? []).toString()).toBe(
      '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"},"data":{"kind":"x"}}',
    );
    expect(parts.at(-1)).toEqual(END);
  });

  test('may be written over several lines: its items are one line each all the same', async () => {
    const item = { apiVersion: 'v1', kind: 'W', metadata: { name: 'a', managedFields: [] }, spec: { text: 'a\nb' } };
    const [part] = await decode(JSON.stringify({ items: [item], metadata: {} }, undefined, 2));
    if (part?.kind !== 'objects' || part.objects[0] === undefined) throw new Error('no objects');
    const text = Buffer.from(part.objects[0].object).toString();
    expect(text).not.toContain('\n');
    expect(JSON.parse(text)).toEqual({ ...item, metadata: { name: 'a' } });
  });

  test('takes kind and apiVersion of items from the caller where he knows them', async () => {
    const [part] = await decode(`{"items":[${UNTYPED('a')}],"metadata":{"resourceVersion":"279"}}`, {
      defaults: { apiVersion: 'g/v1', kind: 'K' },
    });
    if (part?.kind !== 'objects' || part.objects[0] === undefined) throw new Error('no objects');
    expectScanned(part.objects[0], UNTYPED('a'), { apiVersion: 'g/v1', kind: 'K' });
  });

  test.each(['[]', 'null', ' [ ] '])('may have no items: %s', async (none) => {
    const parts = await decode(
      `{"kind":"WList","apiVersion":"v1","metadata":{"resourceVersion":"279"},"items":${none}}`,
    );
    expect(names(parts)).toEqual([]);
    expect(parts.at(-1)).toEqual(END);
  });

  test('may have white space everywhere and escapes in its keys', async () => {
    const parts = await decode(
      `{ "it\\u0065ms" : [ ${ITEM('a')} ,\n ${ITEM('b')} ] , "metadata" : { "resourceVersion" : "279" }, "x":"items", "y":{"items":[1]} } `,
    );
    expect(names(parts)).toEqual(['a', 'b']);
    expect(parts.at(-1)).toEqual(END);
  });

  test('has an empty resourceVersion where the server gives none', async () => {
    expect((await decode('{"kind":"PodMetricsList","metadata":{},"items":[]}')).at(-1)).toEqual({
      ...END,
      resourceVersion: '',
    });
  });

  test('gives one batch of objects per item of the body', async () => {
    const [a, b] = [ITEM('a'), ITEM('b')];
    const body = items(
      [`{"items":[${a},`, b.slice(0, 5)],
      [b.slice(5, 9)],
      [b.slice(9), '],"metadata":{"resourceVersion":"279"}}'],
    );
    const { values } = await collect(decodeList(body));
    expect(values.map((part) => (part.kind === 'objects' ? names([part]) : part))).toEqual([['a'], [], ['b'], END]);
  });

  test.each([
    ['inside an item', `{"items":[${ITEM('a')},${ITEM('b').slice(0, 30)}`],
    ['between items', `{"items":[${ITEM('a')},`],
    ['after the items', `{"items":[${ITEM('a')}]`],
    ['inside the metadata', `{"items":[${ITEM('a')}],"metadata":{"resou`],
  ])('that ends %s is an interruption, after all whole items', async (_where, body) => {
    const { values, error } = await collect(decodeList(whole(body)));
    expect(names(values)).toEqual(['a']);
    expect(values.some(({ kind }) => kind === 'end')).toBe(false);
    expect(error).toMatchObject({ code: 'protocol', retryable: true });
  });

  test('that breaks off passes its error on, after all whole items', async () => {
    const reset = new Error('reset');
    const { values, error } = await collect(decodeList(broken(`{"items":[${ITEM('a')},{"me`, reset)));
    expect(names(values)).toEqual(['a']);
    expect(error).toBe(reset);
  });

  test.each([
    ['text', '404 page not found\n'],
    ['a Status', '{"kind":"Status","apiVersion":"v1","metadata":{},"code":403}'],
    ['a Table', '{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"1"},"rows":[]}'],
    ['an array', '[]'],
    ['items that are no objects', '{"items":[1]}'],
    ['items that are no array', '{"items":{"a":1}}'],
    ['an item without name', '{"items":[{"apiVersion":"v1","kind":"W","metadata":{}}]}'],
    ['items of an unknown kind', `{"items":[${UNTYPED('a')}]}`],
    ['two documents', '{"items":[]}{"items":[]}'],
  ])('that is no list is refused: %s', async (_what, body) => {
    const { error } = await collect(decodeList(whole(body)));
    expect(error).toMatchObject({ code: 'protocol', retryable: false });
  });

  test('with an item above the limit is refused before the item is complete, and its size named', async () => {
    const body = items([`{"items":[${ITEM('a')},{"x":"`], ['x'.repeat(300)], ['x'.repeat(300)]);
    const { values, error } = await collect(decodeList(body, { maxObjectBytes: 200 }));
    expect(names(values)).toEqual(['a']);
    expect(error).toMatchObject({
      code: 'protocol',
      message: expect.stringMatching(/at least 306 bytes.* 200 /) as string,
    });
  });

  test('with endless metadata is refused', async () => {
    const { error } = await collect(
      decodeList(items(['{"metadata":{"continue":"'], ['x'.repeat(300)]), { maxObjectBytes: 200 }),
    );
    expect(error).toMatchObject({ code: 'protocol', message: expect.stringContaining('without its items') as string });
  });
});

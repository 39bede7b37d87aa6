import { describe, expect, test } from 'vitest';
import type { WatchLine } from '../../../lib/decode/watch-line.ts';
import { decodeWatch } from '../../../lib/decode/watch-stream.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { broken, collect, items, whole } from './bodies.ts';

function event(name: string, spec = '{}'): string {
  return `{"type":"ADDED","object":{"apiVersion":"v1","kind":"W","metadata":{"managedFields":[],"name":"${name}","resourceVersion":"1","uid":"u"},"spec":${spec}}}\n`;
}

function names(batches: readonly (readonly WatchLine[])[]): string[][] {
  return batches.map((batch) => batch.map((line) => (line.kind === 'object' ? line.object.name : line.kind)));
}

describe('the body of a watch', () => {
  test('gives one batch per item, also where no line was completed', async () => {
    const [first, second] = [event('a'), event('b')];
    const body = items([first, second.slice(0, 9)], [second.slice(9, 20)], [second.slice(20), event('c')]);
    expect(names((await collect(decodeWatch(body))).values)).toEqual([['a'], [], ['b', 'c']]);
  });

  test('may hold empty lines and U+2028 inside strings, and be empty', async () => {
    const body = items(['\n', event('a', '"\u2028\u2029\u0085"'), '\r\n \n'], [], ['']);
    expect(names((await collect(decodeWatch(body))).values)).toEqual([['a'], [], []]);
    expect((await collect(decodeWatch(items()))).values).toEqual([]);
  });

  test('may hold a line of 3 MB in chunks of 2 KB', async () => {
    const line = Buffer.from(event('big', `"${'x'.repeat(3_000_000)}"`));
    const chunks = Array.from({ length: Math.ceil(line.length / 2048) }, (_, n) =>
      line.subarray(n * 2048, (n + 1) * 2048),
    );
    const { values } = await collect(decodeWatch(items(...chunks.map((chunk) => [chunk]))));
    expect(names(values).flat()).toEqual(['big']);
    const [decoded] = values.flat();
    const sent = line.length - '{"type":"ADDED","object":}\n'.length - '"managedFields":[],'.length;
    expect(decoded?.kind === 'object' ? decoded.object.object.byteLength : 0).toBe(sent);
  });

  test('may come in chunks of a megabyte, with a line in it that is longer than most', async () => {
    const usual = Array.from({ length: 3000 }, (_, n) => event(`a-${n}`, `"${'x'.repeat(n % 500)}"`));
    const lines = usual.toSpliced(1000, 0, event('long', `"${'x'.repeat(300_000)}"`));
    const { values } = await collect(decodeWatch(whole(lines.join('')), { ownsChunks: true }));
    const decoded = values.flat().map((line) => (line.kind === 'object' ? Buffer.from(line.object.object) : line.kind));
    const sent = lines.map((line) =>
      line.slice('{"type":"ADDED","object":'.length, -2).replace('"managedFields":[],', ''),
    );
    expect(decoded.map(String)).toEqual(sent);
  });

  test('that ends in the middle of a line is an interruption, after all whole lines', async () => {
    const { values, error } = await collect(decodeWatch(items([event('a'), event('b').slice(0, 50)])));
    expect(names(values)).toEqual([['a']]);
    expect(error).toBeInstanceOf(Mk8sError);
    expect(error).toMatchObject({
      code: 'protocol',
      retryable: true,
      message: expect.stringContaining('50 bytes') as string,
    });
  });

  test('that ends without the last newline is an interruption: what is left cannot be told from a part', async () => {
    const { values, error } = await collect(decodeWatch(whole(event('a').trimEnd())));
    expect(names(values)).toEqual([[]]);
    expect(error).toMatchObject({ code: 'protocol', retryable: true });
  });

  test('that breaks off passes its error on, after all whole lines', async () => {
    const reset = new Error('reset');
    const { values, error } = await collect(decodeWatch(broken(`${event('a')}${event('b')}{"ty`, reset)));
    expect(names(values)).toEqual([['a', 'b']]);
    expect(error).toBe(reset);
  });

  test('with a line that is no event delivers those before it', async () => {
    const { values, error } = await collect(decodeWatch(whole(`${event('a')}nonsense\n${event('c')}`)));
    expect(names(values)).toEqual([['a']]);
    expect(error).toMatchObject({ code: 'protocol', retryable: false });
  });

  test('with a line above the limit is refused before the line is complete, and its size named', async () => {
    const big = event('b', `"${'x'.repeat(500)}"`);
    const body = items([event('a')], [big.slice(0, 200)], [big.slice(200, 400)], [big.slice(400)]);
    const { values, error } = await collect(decodeWatch(body, { maxObjectBytes: 300 }));
    expect(names(values)).toEqual([['a'], []]);
    expect(error).toMatchObject({
      code: 'protocol',
      message: expect.stringMatching(/at least 400 bytes.* 300 /) as string,
    });
  });

  test('is closed when its reader leaves early', async () => {
    let closed = false;
    async function* body(): AsyncGenerator<readonly Uint8Array[]> {
      try {
        for (;;) yield [Buffer.from(event('a'))];
      } finally {
        closed = true;
      }
    }
    for await (const batch of decodeWatch(body())) if (batch.length > 0) break;
    expect(closed).toBe(true);
  });

  test('is left as it is, unless its chunks are given away', async () => {
    // Of three alike the first is read by the book.
    const chunk = Buffer.from(event('a').replace('[]', '[{"manager":"m"}]').repeat(3));
    const before = Buffer.from(chunk);
    const read = async (ownsChunks: boolean): Promise<string[]> => {
      const lines = (await collect(decodeWatch(shared(chunk), { ownsChunks }))).values.flat();
      return lines.map((line) => (line.kind === 'object' ? Buffer.from(line.object.object).toString() : ''));
    };
    const copied = await read(false);
    expect(chunk.equals(before)).toBe(true);
    expect(await read(true)).toEqual(copied);
    expect(new Set(copied).size).toBe(1);
    expect(chunk.equals(before)).toBe(false);
  });
});

async function* shared(chunk: Uint8Array): AsyncGenerator<readonly Uint8Array[]> {
  yield [chunk];
}

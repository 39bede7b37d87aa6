import { describe, expect, test } from 'vitest';
import { joinChunks } from '../../../lib/decode/join-chunks.ts';

function sizes(...chunks: readonly number[]): number[] {
  return [
    ...joinChunks(
      chunks.map((size) => new Uint8Array(size)),
      false,
    ),
  ].map(({ bytes }) => bytes.length);
}

describe('chunks that arrived together', () => {
  test('are joined where they are small, and stay in order', () => {
    const chunks = ['ab', '', 'c', 'd'.repeat(10_000), 'e', 'f'].map((text) => Buffer.from(text));
    const joined = [...joinChunks(chunks, false)];
    expect(joined.map(({ bytes }) => bytes.toString())).toEqual(['abc', 'd'.repeat(10_000), 'ef']);
    expect(joined.map(({ own }) => own)).toEqual([true, false, true]);
  });

  test('are not copied where there is one, or they are large', () => {
    const chunks = [Buffer.from('a'), Buffer.alloc(10_000)];
    for (const own of [true, false]) {
      const joined = [...joinChunks(chunks, own)];
      expect(joined.map(({ bytes }) => bytes)).toEqual(chunks);
      expect(joined.every((piece, n) => piece.bytes === chunks[n] && piece.own === own)).toBe(true);
    }
  });

  test('are joined to pieces of bounded size', () => {
    expect(sizes(...Array.from({ length: 100 }, () => 2048))).toEqual([131_072, 73_728]);
  });

  test('may be none, or empty', () => {
    expect(sizes()).toEqual([]);
    expect(sizes(0, 0)).toEqual([]);
    expect(sizes(3, 0)).toEqual([3]);
  });
});

// Bodies as a transport would deliver them: bytes cut anywhere, several chunks an item.
import { Buffer } from 'node:buffer';

/** All of it as one chunk of one item. */
export async function* whole(bytes: string | Uint8Array): AsyncGenerator<readonly Uint8Array[]> {
  yield [Buffer.from(bytes)];
}

/** Items as given. */
export async function* items(
  ...chunks: readonly (readonly (string | Uint8Array)[])[]
): AsyncGenerator<readonly Uint8Array[]> {
  for (const item of chunks) yield item.map((chunk) => Buffer.from(chunk));
}

/** Cut at random places, small pieces and large ones, some items of several chunks, some empty. */
export async function* cut(bytes: Uint8Array, random: () => number): AsyncGenerator<readonly Uint8Array[]> {
  // At most some thousands of pieces: a body of a megabyte in single bytes takes long and shows nothing new.
  const largest = Math.max([1, 3, 40, 700, 5000][Math.floor(random() * 5)] ?? 40, bytes.length / 4000);
  let item: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const to = at + Math.floor(random() * (largest + 1));
    item.push(Buffer.from(bytes.subarray(at, to)));
    at = to;
    if (random() < 0.5) {
      yield item;
      item = [];
    }
  }
  yield item;
}

/** Gives all of a body's items, then fails as a broken connection does. */
export async function* broken(bytes: string, error: Error): AsyncGenerator<readonly Uint8Array[]> {
  yield [Buffer.from(bytes)];
  throw error;
}

/** Everything that an async iterable yields, and what ended it. */
export async function collect<T>(source: AsyncIterable<T>): Promise<{ values: T[]; error: unknown }> {
  const values: T[] = [];
  try {
    for await (const value of source) values.push(value);
  } catch (error) {
    return { values, error };
  }
  return { values, error: undefined };
}

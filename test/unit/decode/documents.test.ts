// Decoding against JSON.parse, on random documents and random cuts. TEST_SEED repeats a run.
import { describe, expect, test } from 'vitest';
import { decodeList } from '../../../lib/decode/list-stream.ts';
import type { WatchLine } from '../../../lib/decode/watch-line.ts';
import { decodeWatch } from '../../../lib/decode/watch-stream.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { pick, seededRandom, testSeed } from '../../support/seeded-random.ts';
import { collect, cut } from './bodies.ts';
import { decodeLine, decodeLineByTheBook } from './decode-line.ts';
import { type Random, randomObject, spell } from './documents.ts';
import { expectScanned } from './oracle.ts';

const seed = testSeed();

/** `{"type":…,"object":…}` as servers send it, or in another spelling. */
function randomEvent(random: Random): { object: string; line: string } {
  const object = randomObject(random);
  const type = pick(random, ['ADDED', 'MODIFIED', 'DELETED']);
  const line =
    random() < 0.8
      ? `{"type":"${type}","object":${object}}`
      : pick(random, [
          `{"object":${object},"type":"${type}"}`,
          ` {"type" : "${type}" , "object": ${object} }\t`,
          `{"t\\u0079pe":"${type}","more":[{}],"object":${object}}`,
        ]);
  return { object, line };
}

/** What a decoder makes of a line, as text; an error must be one of the protocol. */
function outcome(decode: () => WatchLine): string {
  try {
    return JSON.stringify(decode(), (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );
  } catch (error) {
    if (!(error instanceof Mk8sError) || error.code !== 'protocol') throw error;
    return error.code;
  }
}

describe(`random documents (seed ${seed})`, () => {
  test('each line of a watch gives what JSON.parse finds in it', () => {
    const random = seededRandom(seed);
    for (let n = 0; n < 1000; n++) {
      const { object, line } = randomEvent(random);
      for (const decode of [decodeLine, decodeLineByTheBook]) {
        const decoded = decode(line);
        if (decoded.kind !== 'object') throw new Error(`document ${n}: decoded as ${decoded.kind}`);
        expectScanned(decoded.object, object);
      }
    }
  });

  test('any cut of a watch into chunks gives the same', async () => {
    const random = seededRandom(seed + 1);
    for (let round = 0; round < 40; round++) {
      const events = Array.from({ length: 12 }, () => randomEvent(random));
      const bytes = Buffer.from(events.map(({ line }) => `${line}\n${random() < 0.1 ? '\n' : ''}`).join(''));
      const { values, error } = await collect(decodeWatch(cut(bytes, random), { ownsChunks: random() < 0.5 }));
      expect(error).toBeUndefined();
      const lines = values.flat();
      expect(lines).toHaveLength(events.length);
      for (const [n, line] of lines.entries()) {
        if (line.kind !== 'object') throw new Error(`round ${round}: line ${n} is ${line.kind}`);
        expectScanned(line.object, events[n]?.object ?? '');
      }
    }
  });

  test('any cut of a list into chunks gives its items and its metadata, in either order of its keys', async () => {
    const random = seededRandom(seed + 2);
    for (let round = 0; round < 40; round++) {
      const typed = random() < 0.5;
      const objects = Array.from({ length: Math.floor(random() * 12) }, () => randomObject(random, { typed }));
      const gap = (): string => (random() < 0.2 ? '\n ' : '');
      const items = `"items":[${gap()}${objects.join(`,${gap()}`)}${gap()}]`;
      const spelling = { spaced: random() < 0.3, escaped: random() < 0.3 };
      const metadata = `"metadata":${spell(random, { resourceVersion: '279', continue: 'é"\\', remainingItemCount: 7 }, spelling)}`;
      const type = '"kind":"ThingList","apiVersion":"example.com/v1"';
      const body = `{${(random() < 0.5 && typed ? [items, type, metadata] : [type, metadata, items]).join(`${gap()},`)}}\n`;
      const { values, error } = await collect(
        decodeList(cut(Buffer.from(body), random), { ownsChunks: random() < 0.5 }),
      );
      expect(error).toBeUndefined();
      expect(values.at(-1)).toEqual({
        kind: 'end',
        resourceVersion: '279',
        continueToken: 'é"\\',
        remainingItemCount: 7,
      });
      const scanned = values.flatMap((part) => (part.kind === 'objects' ? part.objects : []));
      expect(scanned).toHaveLength(objects.length);
      for (const [n, object] of scanned.entries()) {
        expectScanned(object, objects[n] ?? '', typed ? undefined : { apiVersion: 'example.com/v1', kind: 'Thing' });
      }
    }
  });

  test('any damage to a line gives an object or an error of the protocol, the same in both ways of reading', () => {
    const random = seededRandom(seed + 3);
    for (let n = 0; n < 1000; n++) {
      const bytes = Buffer.from(randomEvent(random).line);
      const damaged = random() < 0.5 ? bytes.subarray(0, 1 + Math.floor(random() * bytes.length)) : bytes;
      for (let k = 0; k < 3; k++)
        damaged[Math.floor(random() * damaged.length)] = pick(random, [...Buffer.from('"\\{}[],:a\u0000 '), 0xff]);
      if (damaged.toString('latin1').trim() === '') continue;
      const [fast, slow] = [decodeLine, decodeLineByTheBook].map((decode) => outcome(() => decode(damaged)));
      expect(fast).toEqual(slow);
    }
  });
});

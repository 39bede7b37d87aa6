import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type FrameEntry, packFrame, unpackFrame } from '../../../lib/adapters/disk/frame.ts';
import { resourceVersion } from '../../../lib/model/resource-version.ts';
import type { StreamKey } from '../../../lib/model/stream.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const stream = 'c/widgets.example.com' as StreamKey;

function entry(sequence: number, bytes: number): FrameEntry {
  const rv = resourceVersion(String(100 + sequence));
  return {
    epoch: 1,
    sequence,
    position: sequence,
    previous: 0,
    ordinal: 1,
    bytes,
    type: 'add',
    origin: 'watch',
    namespace: 'default',
    name: `w${sequence}`,
    uid: `u${sequence}`,
    resourceVersion: rv,
    asOf: rv,
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    manager: 'kubectl',
    observedAt: 1,
  };
}

test('a frame that does not compress, and one that compresses well, come back as they were', () => {
  const random = seededRandom(7);
  const noise = Buffer.from(Array.from({ length: 100_000 }, () => Math.floor(random() * 256)));
  for (const objects of [[noise], Array.from({ length: 100 }, () => Buffer.alloc(2_400, 'abc')), [Buffer.alloc(0)]]) {
    const entries = objects.map(({ length }, n) => entry(n + 1, length));
    const unpacked = unpackFrame(stream, packFrame(stream, entries, objects));
    expect(unpacked.entries).toEqual(entries);
    expect(
      unpacked.objects.map((object) => Buffer.compare(object, objects[unpacked.objects.indexOf(object)] as Buffer)),
    ).toEqual(objects.map(() => 0));
  }
});

test('promise 7: what lets a buffer of zlib go early still fits the Node that runs this', () => {
  const { engine } = zstdCompressSync(Buffer.from('x'), { info: true }) as unknown as { engine: object };
  expect(engine).toHaveProperty('_outBuffer');
});

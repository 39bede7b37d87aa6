// The events of a busy collection for benchmarks: objects of about 3.4 KB with managedFields that are made, changed and
// deleted in a random order, each event with its own resourceVersion and its own small differences. Bounded memory for any
// number of events; the same arguments give the same bytes. Made from templates by writing into copies of their bytes:
// a server that sends them shares its cores with what is measured.
import { seededRandom } from '../test/support/seeded-random.ts';
import { watchBody } from './decode-events.ts';

/** Whose events they are. */
export const COLLECTION = { group: 'gateway.networking.k8s.io', version: 'v1', plural: 'httproutes' } as const;
/** The collection's resourceVersion before the first event; event n has this plus n. */
export const FIRST_VERSION = 10_000_000;

export interface LiveEventsOptions {
  /** Objects that live at a time, at most; below a million. Default 20,000. */
  readonly objects?: number;
  /** Default 1. */
  readonly seed?: number;
  /** Of the buffers, about. Default 64 KiB. */
  readonly blockBytes?: number;
}

/** Of the events that hit a living object. */
const DELETES = 0.02;
/**
 * What differs from event to event: stand-ins as wide as what takes their place. The digests make a hundred objects
 * compress to a tenth, as real ones do; templates alone compress to a thirtieth.
 */
const HOLES = {
  digests: '@dig@'.padEnd(256, '@'),
  name: 'route-@nam@@',
  version: '@version',
  uid: '@life@@@-9aa6-4475-84a4-@id@@@@@@@@@',
  time: '2026-11-22T15:@m:@sZ',
};

type Type = 'ADDED' | 'MODIFIED' | 'DELETED';

interface Template {
  readonly line: Buffer;
  /** Where the holes begin. */
  readonly at: Readonly<Record<keyof typeof HOLES, number>>;
}

/** The lines of a watch from FIRST_VERSION on, in blocks of whole lines. */
export function* liveEvents(count: number, options: LiveEventsOptions = {}): Generator<Buffer> {
  const { objects = 20_000, seed = 1, blockBytes = 65_536 } = options;
  const random = seededRandom(seed);
  const templates = eventTemplates();
  const noise = hexNoise(random);
  const alive = new Uint8Array(objects);
  const lives = new Uint32Array(objects);
  let block = Buffer.allocUnsafeSlow(blockBytes + 8192);
  let size = 0;
  for (let n = 1; n <= count; n++) {
    const id = Math.floor(random() * objects);
    let type: Type = 'MODIFIED';
    if (alive[id] === 0) {
      type = 'ADDED';
      alive[id] = 1;
      lives[id] = (lives[id] ?? 0) + 1;
    } else if (random() < DELETES) {
      type = 'DELETED';
      alive[id] = 0;
    }
    const { line, at } = (templates[id % templates.length] as Record<Type, Template>)[type];
    const from = Math.floor(random() * (noise.length - HOLES.digests.length));
    block.set(line, size);
    noise.copy(block, size + at.digests, from, from + HOLES.digests.length);
    block.write(digits(id, 6), size + at.name + 6, 'latin1');
    block.write(digits(FIRST_VERSION + n, 8), size + at.version, 'latin1');
    block.write(hex(lives[id] ?? 0, 8), size + at.uid, 'latin1');
    block.write(hex(id, 12), size + at.uid + 24, 'latin1');
    block.write(`${digits((n >> 6) % 60, 2)}:${digits(n % 60, 2)}`, size + at.time + 14, 'latin1');
    size += line.length;
    if (size < blockBytes) continue;
    yield block.subarray(0, size);
    block = Buffer.allocUnsafeSlow(blockBytes + 8192);
    size = 0;
  }
  if (size > 0) yield block.subarray(0, size);
}

/** The shapes of the decode benchmark's events, with holes, as an event of each type. */
function eventTemplates(): readonly Readonly<Record<Type, Template>>[] {
  const lines = Buffer.concat([...watchBody(400)])
    .toString()
    .trim()
    .split('\n');
  return lines.map((line) => {
    const { object } = JSON.parse(line) as {
      object: {
        metadata: Record<string, unknown>;
        spec: { rules: unknown[] };
        status: { parents: { conditions: Record<string, unknown>[] }[] };
      };
    };
    const annotations = { ...(object.metadata['annotations'] as object), 'example.com/digests': HOLES.digests };
    // In exchange for the digests.
    object.spec.rules.pop();
    object.metadata = { annotations, ...object.metadata };
    Object.assign(object.metadata, {
      annotations,
      name: HOLES.name,
      resourceVersion: HOLES.version,
      uid: HOLES.uid,
    });
    Object.assign(object.status.parents[0]?.conditions[0] ?? {}, { lastTransitionTime: HOLES.time });
    const of = (type: Type): Template => {
      const text = Buffer.from(`${JSON.stringify({ type, object })}\n`);
      const find = (hole: string): number => {
        const found = text.indexOf(hole);
        if (found < 0) throw new Error(`The events have no ${hole} any more.`);
        return found;
      };
      const { digests, name, version, uid, time } = HOLES;
      const at = { digests: find(digests), name: find(name), version: find(version), uid: find(uid), time: find(time) };
      return { line: text, at };
    };
    return { ADDED: of('ADDED'), MODIFIED: of('MODIFIED'), DELETED: of('DELETED') };
  });
}

/** A megabyte of hexadecimal digits: slices of it at random places seldom overlap. */
function hexNoise(random: () => number): Buffer {
  const bytes = Buffer.alloc(512 * 1024);
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
  return Buffer.from(bytes.toString('hex'));
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, '0');
}

function digits(value: number, width: number): string {
  return value.toString().padStart(width, '0');
}

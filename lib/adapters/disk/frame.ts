// A frame: up to about a hundred revisions of one stream, compressed together. Frames of that size take a third of the
// space and a fifth of the time of one-by-one compression.
//
// Its bytes are one zstd frame with a checksum of the content, which is: the length of the header (4 bytes, little
// endian), the header (JSON, one array per field), then the objects' bytes one after the other. The header names the
// stream, so that a frame in a wrong place is noticed.
//
// It is compressed on this thread: the asynchronous form took two to four times the processor time (a context and its page
// faults per call, on another thread), and more of this thread's than it saved.
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { resourceVersion } from '../../model/resource-version.ts';
import type { ChangeType, Observed, Origin } from '../../model/revision.ts';
import type { StreamKey } from '../../model/stream.ts';

/** A revision without its object and stream. */
export interface FrameEntry extends Omit<Observed, 'object'> {
  readonly epoch: number;
  readonly sequence: number;
  readonly position: number;
  readonly previous: number;
  /** 1 for the first revision of its object, 2 for the next … */
  readonly ordinal: number;
  /** Length of its object. */
  readonly bytes: number;
}

const maxFrameChanges = 100;
const maxFrameBytes = 1024 * 1024;

/** Cuts entries into frames: `[from, to)` of each. An object larger than a frame gets one of its own. */
export function planFrames(entries: readonly FrameEntry[]): [from: number, to: number][] {
  const plan: [number, number][] = [];
  let from = 0;
  let size = 0;
  for (const [i, { bytes }] of entries.entries()) {
    if (i > from && (i - from >= maxFrameChanges || size + bytes > maxFrameBytes)) {
      plan.push([from, i]);
      from = i;
      size = 0;
    }
    size += bytes;
  }
  if (entries.length > from) plan.push([from, entries.length]);
  return plan;
}

/** The bytes of a frame, and their length before compression. */
export function packFrame(
  stream: StreamKey,
  entries: readonly FrameEntry[],
  objects: readonly Uint8Array[],
): { data: Uint8Array; size: number } {
  const header = Buffer.from(JSON.stringify({ stream, count: entries.length, ...columns(entries) }));
  const raw = joined(header, objects);
  const compressed = zstdCompressSync(raw, {
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
    pledgedSrcSize: raw.length,
    // Of the buffers that the result is joined from; mostly one is enough.
    chunkSize: Math.max(1024, raw.length >> 3),
    info: true,
  });
  return { data: withoutEngine(compressed), size: raw.length };
}

/**
 * The result of a synchronous call of zlib, whose engine (Node gives it for `info`) lets go of it. An engine outlives the
 * collections of the young generation, for its handle counts as in use until a full one, and with it the buffer that it wrote
 * to: a comparison that read 667 revisions peaked 15 to 20 MB higher. The field is not public: without it this does nothing.
 */
function withoutEngine(result: unknown): Buffer {
  const { buffer, engine } = result as { buffer: Buffer; engine: { _outBuffer?: unknown } };
  if ('_outBuffer' in engine) engine._outBuffer = undefined;
  return buffer;
}

/** Reused: a buffer of a third of a megabyte for every frame keeps the garbage collector of another thread busy. */
let scratch = Buffer.alloc(0);

/** Valid until the next call. */
function joined(header: Uint8Array, objects: readonly Uint8Array[]): Buffer {
  const size = objects.reduce((sum, object) => sum + object.length, 4 + header.length);
  const buffer = size <= 2 * maxFrameBytes ? scratchOf(size) : Buffer.allocUnsafe(size);
  buffer.writeUInt32LE(header.length);
  buffer.set(header, 4);
  let offset = 4 + header.length;
  for (const object of objects) {
    buffer.set(object, offset);
    offset += object.length;
  }
  return buffer.subarray(0, size);
}

function scratchOf(size: number): Buffer {
  if (scratch.length < size) scratch = Buffer.allocUnsafeSlow(Math.min(2 * size, 2 * maxFrameBytes));
  return scratch;
}

/**
 * The processor time of an object of 2.4 KB in a frame of 100 and of 20, and the ratios, of the benchmarks' two kinds of objects:
 * level 1 1.8–4.4 and 4.3–6.7 µs, 10.9–14.3 and 8.9–13.3; level 2 2.1–7.3 and 5.1–8.3 µs, the same ratios; level 3 more of
 * both. (Alone in its frame an object takes about 40 µs, whatever the level, and shrinks to a third.)
 */
const level = 1;

/** The reverse of `packFrame`; the objects are views of one buffer. Throws where the bytes are not a frame of this stream. */
export function unpackFrame(
  stream: StreamKey,
  { data, size }: { readonly data: Uint8Array; readonly size: number },
): { entries: FrameEntry[]; objects: Uint8Array[] } {
  const raw = withoutEngine(zstdDecompressSync(data, { chunkSize: size + 64, maxOutputLength: size + 64, info: true }));
  let offset = 4 + raw.readUInt32LE(0);
  const header = JSON.parse(raw.toString('utf8', 4, offset)) as { stream: string; count: number } & Columns;
  if (header.stream !== stream) throw new Error(`a frame of stream ${header.stream} where one of ${stream} should be`);
  const entries: FrameEntry[] = [];
  const objects: Uint8Array[] = [];
  for (let i = 0; i < header.count; i++) {
    const entry = entryAt(header, i);
    entries.push(entry);
    objects.push(new Uint8Array(raw.buffer, raw.byteOffset + offset, entry.bytes));
    offset += entry.bytes;
  }
  if (offset !== raw.length) throw new Error(`a frame of ${raw.length} bytes where ${offset} were written`);
  return { entries, objects };
}

/** One array per field; of length 1 where all entries have the same value. */
interface Columns {
  epoch: number[];
  /** Sequence and position are stored minus the entry's index, so that a run becomes one number. */
  sequence: number[];
  position: number[];
  previous: number[];
  ordinal: number[];
  bytes: number[];
  type: ChangeType[];
  origin: Origin[];
  namespace: string[];
  name: string[];
  uid: string[];
  rv: string[];
  /** null where it equals rv. */
  asOf: (string | null)[];
  apiVersion: string[];
  kind: string[];
  manager: string[];
  observedAt: number[];
}

/** One pass with a push for each field: a function for each column costs three times as much. */
function columns(entries: readonly FrameEntry[]): Columns {
  const all: Columns = {
    epoch: [],
    sequence: [],
    position: [],
    previous: [],
    ordinal: [],
    bytes: [],
    type: [],
    origin: [],
    namespace: [],
    name: [],
    uid: [],
    rv: [],
    asOf: [],
    apiVersion: [],
    kind: [],
    manager: [],
    observedAt: [],
  };
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as FrameEntry;
    all.epoch.push(entry.epoch);
    all.sequence.push(entry.sequence - i);
    all.position.push(entry.position - i);
    all.previous.push(entry.previous);
    all.ordinal.push(entry.ordinal);
    all.bytes.push(entry.bytes);
    all.type.push(entry.type);
    all.origin.push(entry.origin);
    all.namespace.push(entry.namespace);
    all.name.push(entry.name);
    all.uid.push(entry.uid);
    all.rv.push(entry.resourceVersion);
    all.asOf.push(entry.asOf === entry.resourceVersion ? null : entry.asOf);
    all.apiVersion.push(entry.apiVersion);
    all.kind.push(entry.kind);
    all.manager.push(entry.manager);
    all.observedAt.push(entry.observedAt);
  }
  for (const column of Object.values(all) as unknown[][]) if (isUniform(column)) column.length = 1;
  return all;
}

function isUniform(column: readonly unknown[]): boolean {
  for (let i = 1; i < column.length; i++) if (column[i] !== column[0]) return false;
  return true;
}

function entryAt(all: Columns, index: number): FrameEntry {
  const rv = at(all.rv, index);
  return {
    epoch: at(all.epoch, index),
    sequence: at(all.sequence, index) + index,
    position: at(all.position, index) + index,
    previous: at(all.previous, index),
    ordinal: at(all.ordinal, index),
    bytes: at(all.bytes, index),
    type: at(all.type, index),
    origin: at(all.origin, index),
    namespace: at(all.namespace, index),
    name: at(all.name, index),
    uid: at(all.uid, index),
    resourceVersion: resourceVersion(rv),
    asOf: resourceVersion(at(all.asOf, index) ?? rv),
    apiVersion: at(all.apiVersion, index),
    kind: at(all.kind, index),
    manager: at(all.manager, index),
    observedAt: at(all.observedAt, index),
  };
}

function at<T>(column: readonly T[], index: number): T {
  return column[column.length === 1 ? 0 : index] as T;
}

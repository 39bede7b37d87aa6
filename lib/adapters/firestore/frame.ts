// A frame: what one commit says, of any number of streams: revisions, and where each stream stands after them. Many revisions
// share a document, for Firestore is paid by the document; they are compressed together.
//
// `data` is one zstd frame: the length of a header (4 bytes, little endian), the header (JSON, the entries without their
// objects), then the objects' bytes one after the other. Above the limit of a document it lies in documents of its own.
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Checkpoint } from '../../model/checkpoint.ts';
import { Mk8sError } from '../../model/errors.ts';
import { type ResourceVersion, resourceVersion } from '../../model/resource-version.ts';
import { type ChangeType, type Observed, type Origin, objectKey, type Revision } from '../../model/revision.ts';
import type { StreamRef } from '../../model/stream.ts';
import type { Document, Fields, Write } from './documents.ts';
import { frameId, tags } from './names.ts';

/** A revision without its object. */
export interface Entry extends Omit<Observed, 'object'> {
  /** Id of the stream's document. */
  readonly stream: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly previous: number;
  /** 1 for the first revision of its object, 2 for the next … */
  readonly ordinal: number;
}

/** Where a stream stands after a frame. */
export interface Part {
  readonly stream: string;
  readonly fence: number;
  readonly epoch: number;
  readonly sequence: number;
  /** Live objects. */
  readonly objects: number;
  readonly resourceVersion?: ResourceVersion | undefined;
  readonly checkpoint?: Checkpoint | undefined;
}

export interface Frame {
  /** Whose chain of frames it is in, and its number there, from 1. */
  readonly writer: string;
  readonly number: number;
  /** Tells our own write from another's with the same number. */
  readonly nonce: string;
  /** Position of its first revision; grows in a chain, and within a stream. */
  readonly position: number;
  readonly parts: readonly Part[];
  readonly entries: readonly Entry[];
  readonly objects: readonly Uint8Array[];
}

/** Of data in one document: the limit is 1 MiB with all fields, names and tags. */
const MOST_INLINE = 800_000;
/** Of one commit, with room for what else is in it: https://cloud.google.com/firestore/quotas (10 MiB a request). */
const MOST_COMMIT = 9_000_000;

/** The writes that make a frame. Throws Mk8sError `storage` where it is larger than one commit may be. */
export function frameWrites(frame: Frame): readonly Write[] {
  const id = frameId(frame.writer, frame.number);
  const data = frame.entries.length === 0 ? undefined : pack(frame.entries, frame.objects);
  if (data !== undefined && data.bytes.length > MOST_COMMIT) {
    throw new Mk8sError(
      `Cannot record ${frame.entries.length} changes in Firestore: they are ${data.bytes.length} bytes compressed, and one commit takes 10 MiB. Record less at a time (--memory)`,
      { code: 'storage' },
    );
  }
  const chunks = data === undefined || data.bytes.length <= MOST_INLINE ? [] : cut(data.bytes);
  const fields: Fields = {
    writer: frame.writer,
    number: frame.number,
    nonce: frame.nonce,
    position: frame.position,
    tags: tagsOf(frame),
    parts: JSON.stringify(frame.parts),
    ...(data === undefined ? {} : { size: data.size, observedAt: newestOf(frame.entries) }),
    ...(data === undefined || chunks.length > 0 ? {} : { data: data.bytes }),
    ...(chunks.length === 0 ? {} : { chunks: chunks.length }),
  };
  return [
    { kind: 'create', path: `frames/${id}`, fields },
    ...chunks.map((bytes, i): Write => ({ kind: 'create', path: `chunks/${id}-${i}`, fields: { data: bytes } })),
  ];
}

/** The documents that a frame's data lies in, where it is not in the frame itself. */
export function chunkPaths({ path, fields }: Document): readonly string[] {
  const id = path.slice(path.indexOf('/') + 1);
  return Array.from({ length: Number(fields['chunks'] ?? 0) }, (_, i) => `chunks/${id}-${i}`);
}

export function partsOf({ fields }: Document): readonly Part[] {
  return JSON.parse(String(fields['parts'] ?? '[]')) as readonly Part[];
}

/** The entries of a frame and their objects. `chunks`: of `chunkPaths`, in order. Throws where the bytes are not a frame. */
export function unpackFrame(
  frame: Document,
  chunks: readonly (Document | undefined)[],
): { readonly entries: readonly Entry[]; readonly objects: readonly Uint8Array[] } {
  const { data, size } = frame.fields;
  if (size === undefined) return { entries: [], objects: [] };
  const bytes =
    chunks.length === 0 ? (data as Uint8Array) : Buffer.concat(chunks.map((chunk) => chunkOf(chunk, frame.path)));
  const raw = zstdDecompressSync(bytes, { maxOutputLength: Number(size) + 64 });
  let offset = 4 + raw.readUInt32LE(0);
  const header = JSON.parse(raw.toString('utf8', 4, offset)) as readonly Row[];
  const objects: Uint8Array[] = [];
  const entries = header.map((row) => {
    objects.push(new Uint8Array(raw.buffer, raw.byteOffset + offset, row[5]));
    offset += row[5];
    return entryFrom(row);
  });
  return { entries, objects };
}

export function revisionOf(frame: Document, entry: Entry, index: number, object: Uint8Array, ref: StreamRef): Revision {
  const { stream: _, ordinal: __, ...rest } = entry;
  return { ...rest, stream: ref, position: Number(frame.fields['position']) + index, object };
}

function chunkOf(chunk: Document | undefined, frame: string): Uint8Array {
  if (chunk !== undefined) return chunk.fields['data'] as Uint8Array;
  throw new Mk8sError(`Cannot read ${frame} in Firestore: a document with a part of its data is missing`, {
    code: 'storage',
  });
}

function tagsOf({ parts, entries }: Frame): readonly string[] {
  const all = new Set<string>();
  for (const { stream } of parts) all.add(tags.stream(stream));
  for (const { stream, sequence, namespace, name } of entries) {
    all.add(tags.revisions(stream));
    all.add(tags.sequence(stream, sequence));
    all.add(tags.object(stream, objectKey(namespace, name)));
  }
  return [...all];
}

function newestOf(entries: readonly Entry[]): number {
  return entries.reduce((newest, { observedAt }) => Math.max(newest, observedAt), 0);
}

type Row = readonly [
  stream: string,
  epoch: number,
  sequence: number,
  previous: number,
  ordinal: number,
  bytes: number,
  type: ChangeType,
  origin: Origin,
  namespace: string,
  name: string,
  uid: string,
  rv: string,
  /** null where it equals rv. */
  asOf: string | null,
  apiVersion: string,
  kind: string,
  manager: string,
  observedAt: number,
];

function pack(entries: readonly Entry[], objects: readonly Uint8Array[]): { bytes: Uint8Array; size: number } {
  const rows = entries.map((entry, i) => rowOf(entry, objects[i]?.byteLength ?? 0));
  const header = Buffer.from(JSON.stringify(rows));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const raw = Buffer.concat([length, header, ...objects]);
  const params = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };
  return { bytes: zstdCompressSync(raw, { params, pledgedSrcSize: raw.length }), size: raw.length };
}

function rowOf(entry: Entry, bytes: number): Row {
  const { resourceVersion: rv, asOf } = entry;
  return [
    entry.stream,
    entry.epoch,
    entry.sequence,
    entry.previous,
    entry.ordinal,
    bytes,
    entry.type,
    entry.origin,
    entry.namespace,
    entry.name,
    entry.uid,
    rv,
    asOf === rv ? null : asOf,
    entry.apiVersion,
    entry.kind,
    entry.manager,
    entry.observedAt,
  ];
}

function entryFrom(row: Row): Entry {
  const [stream, epoch, sequence, previous, ordinal, , type, origin, namespace, name, uid, rv, asOf, ...rest] = row;
  const [apiVersion, kind, manager, observedAt] = rest;
  return {
    stream,
    epoch,
    sequence,
    previous,
    ordinal,
    type,
    origin,
    namespace,
    name,
    uid,
    resourceVersion: resourceVersion(rv),
    asOf: resourceVersion(asOf ?? rv),
    apiVersion,
    kind,
    manager,
    observedAt,
  };
}

function cut(bytes: Uint8Array): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; from += MOST_INLINE) chunks.push(bytes.subarray(from, from + MOST_INLINE));
  return chunks;
}

// Names of documents. They are hashes: Firestore keeps documents in the order of their ids, and ids that grow would send all
// writes to one place (https://cloud.google.com/firestore/docs/best-practices#document_ids).
import { createHash } from 'node:crypto';
import type { ObjectKey } from '../../model/revision.ts';
import { type StreamRef, streamKey } from '../../model/stream.ts';

/** 128 bits of SHA-256 in 22 characters. */
function hashed(...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('base64url').slice(0, 22);
}

export function streamId(ref: StreamRef): string {
  return hashed(streamKey(ref));
}

export function frameId(writer: string, number: number): string {
  return hashed(writer, number);
}

export function leaseId(name: string): string {
  return hashed(name);
}

export function letterId(sink: string, stream: string, id: string): string {
  return hashed(sink, stream, id);
}

/** Sequence numbers that share a tag: a revision is found among at most so many frames. */
const BUCKET = 16;

/** What a frame can be found by. */
export const tags = {
  /** It says something of the stream. */
  stream: (stream: string): string => `s:${stream}`,
  /** It has revisions of the stream. */
  revisions: (stream: string): string => `r:${stream}`,
  /** It has the revision of that number, or one close by. */
  sequence: (stream: string, sequence: number): string => `b:${stream}:${Math.floor(sequence / BUCKET)}`,
  object: (stream: string, key: ObjectKey): string => `o:${hashed(stream, key)}`,
};

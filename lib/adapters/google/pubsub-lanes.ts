// Which changes go out one after the other, and which beside each other: lanes.
//
// A publish request carries one ordering key, so a key per object would mean a request per object, and no key no order.
// A lane is a share of a stream's objects, by hash: the order within an object (promise 2) is its lane's, and a batch makes
// as many requests as there are lanes.
import { hash } from 'node:crypto';
import { objectKey, type Revision } from '../../model/revision.ts';
import { type StreamRef, streamKey } from '../../model/stream.ts';
import { type PubsubMessage, pubsubMessage } from './pubsub-message.ts';

/**
 * Lanes of a stream. Pub/Sub takes 1 MB/s of an ordering key (https://cloud.google.com/pubsub/docs/ordering), so this is also
 * how many MB/s a stream can publish, and among how many workers a subscriber can share it. More make smaller requests of
 * a batch (1 MiB, so 64 KiB each). Not an option: with another number objects change lanes, and while both are on their
 * way there is no order between them.
 */
export const LANES = 16;

/** What one publish request carries: messages of one lane, in order. */
export interface Chunk {
  readonly messages: readonly PubsubMessage[];
  readonly sequences: readonly number[];
  readonly bytes: number;
}

/** A request takes 1,000 messages and 10 MB (https://cloud.google.com/pubsub/quotas); the library cuts at 9 MiB. */
export const REQUEST = { messages: 1_000, bytes: 9 * 1024 * 1024 };

export type OrderingKey = (revision: Revision) => string;

/** `HASH-LANE`, the same for an object after any number of runs. */
export function laneKeys(lanes: number): OrderingKey {
  let last: { readonly stream: StreamRef; readonly prefix: string } | undefined;
  return ({ stream, namespace, name }) => {
    // Batches are of one stream.
    if (last?.stream !== stream) last = { stream, prefix: hash('sha256', streamKey(stream), 'hex').slice(0, 16) };
    const share = Number.parseInt(hash('sha256', objectKey(namespace, name), 'hex').slice(0, 8), 16) % lanes;
    return `${last.prefix}-${share}`;
  };
}

/** A lane's revisions as requests, made when they are asked for: each holds copies of little more than attributes. */
export function* chunks(lane: readonly Revision[]): Generator<Chunk, void, undefined> {
  let messages: PubsubMessage[] = [];
  let sequences: number[] = [];
  let bytes = 0;
  for (const revision of lane) {
    const message = pubsubMessage(revision);
    const full = messages.length === REQUEST.messages || bytes + message.bytes > REQUEST.bytes;
    if (full && messages.length > 0) {
      yield { messages, sequences, bytes };
      messages = [];
      sequences = [];
      bytes = 0;
    }
    messages.push(message);
    sequences.push(revision.sequence);
    bytes += message.bytes;
  }
  if (messages.length > 0) yield { messages, sequences, bytes };
}

// A change as a Pub/Sub message: CloudEvents in the binary content mode of its Pub/Sub binding, and attributes without a
// prefix for the filters of subscriptions. docs/pubsub.md has the table.
// Source: https://github.com/googleapis/google-cloudevents/blob/main/docs/spec/pubsub.md
import { cloudEventAttributes } from '../../model/cloud-event.ts';
import type { Revision } from '../../model/revision.ts';
import { streamKey } from '../../model/stream.ts';

export interface PubsubMessage {
  /** Undefined where the object is too large: `ce-dataref` then says which revision it is. */
  readonly data?: Buffer;
  readonly attributes: Readonly<Record<string, string>>;
  /** What it takes of a request, as Protocol Buffers, at most. */
  readonly bytes: number;
}

/**
 * Limits of a message: https://cloud.google.com/pubsub/quotas#resource_limits. "10 MB" for data and attributes, and for the
 * request with the topic's name and all framing; taken in its smaller sense, with room for the name.
 */
export const LIMITS = { messageBytes: 10_000_000 - 1_024, valueBytes: 1_024 };

/** Protocol Buffers' tags and lengths: of a map entry (its own, its key's, its value's), and of a message. */
const FRAMING = { attribute: 12, message: 32 };
/** Ordering keys are made in pubsub-lanes.ts: 16 hexadecimal digits and a number. */
const KEY_BYTES = 64;

const STRUCTURED = 'application/cloudevents+json; charset=utf-8';

/**
 * The message of a change. Two things leave the usual form, so that nothing is refused for ever and nothing is lost: an
 * object over the limit is replaced by a reference (the CloudEvents extension `dataref`), and a change with an attribute
 * that is longer than Pub/Sub allows goes out in structured mode, all of it in the data.
 */
export function pubsubMessage(revision: Revision): PubsubMessage {
  const whole = inEitherMode(revision, {}, bufferOf(revision.object));
  if (whole.bytes <= LIMITS.messageBytes) return whole;
  return inEitherMode(revision, { dataref: revisionReference(revision) }, undefined);
}

/**
 * `mk8s://STREAM#SEQUENCE`: a revision by its stream's key and its sequence number, which is how the log is read.
 * Source: https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/dataref.md
 */
function revisionReference({ stream, sequence }: Revision): string {
  return `mk8s://${streamKey(stream)}#${sequence}`;
}

function inEitherMode(
  revision: Revision,
  more: Readonly<Record<string, string>>,
  data: Buffer | undefined,
): PubsubMessage {
  const { datacontenttype, ...context } = { ...cloudEventAttributes(revision), ...more };
  const named = Object.entries(context).map(([name, value]): Attribute => [`ce-${name}`, String(value)]);
  const forFilters = filterAttributes(revision).filter(isAllowed);
  if (named.every(isAllowed)) return messageOf([['content-type', datacontenttype], ...named, ...forFilters], data);
  const json = JSON.stringify({ ...context, datacontenttype });
  const parts = data === undefined ? [json] : [`${json.slice(0, -1)},"data":`, data, '}'];
  const structured = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : part)));
  return messageOf([['content-type', STRUCTURED], ...forFilters], structured);
}

type Attribute = readonly [name: string, value: string];

/**
 * What subscriptions filter by: short, and without what a filter would have to quote. What is empty is absent (the group
 * of core resources, the namespace of cluster-scoped ones): `NOT attributes:namespace`.
 */
function filterAttributes({ stream, apiVersion, namespace, name, type, origin }: Revision): readonly Attribute[] {
  const all: readonly Attribute[] = [
    ['cluster', stream.cluster],
    ['group', stream.group],
    ['version', apiVersion.slice(apiVersion.indexOf('/') + 1)],
    ['resource', stream.plural],
    ['namespace', namespace],
    ['name', name],
    ['type', type],
    ['origin', origin],
  ];
  return all.filter(([, value]) => value !== '');
}

function isAllowed([, value]: Attribute): boolean {
  // No text has more than three bytes for each of its UTF-16 units.
  return value.length * 3 <= LIMITS.valueBytes || Buffer.byteLength(value) <= LIMITS.valueBytes;
}

function messageOf(attributes: readonly Attribute[], data: Buffer | undefined): PubsubMessage {
  const bytes = attributes.reduce(
    (sum, [name, value]) => sum + name.length + Buffer.byteLength(value) + FRAMING.attribute,
    (data?.byteLength ?? 0) + KEY_BYTES + FRAMING.message,
  );
  return { ...(data === undefined ? {} : { data }), attributes: Object.fromEntries(attributes), bytes };
}

/** The same bytes. The library walks through any other Uint8Array byte by byte. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

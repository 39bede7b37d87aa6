// The body of a list as decoded items, handed out while it is still arriving: a list is never whole in memory
// (promise 7). The keys of a list come in two orders: custom resources send `items` before `metadata`, built-in ones
// after it and with items that lack kind and apiVersion.
import { type ResourceVersion, resourceVersion } from '../model/resource-version.ts';
import type { ScannedObject } from '../model/revision.ts';
import type { ApiResponse } from '../ports/api-server.ts';
import { joinChunks } from './join-chunks.ts';
import { ListItems } from './list-items.ts';
import { ListSplitter } from './list-splitter.ts';
import { protocolError, truncatedError } from './protocol-error.ts';
import type { TypeMeta } from './scan-object.ts';

export type ListPart =
  | { readonly kind: 'objects'; readonly objects: readonly ScannedObject[] }
  | {
      readonly kind: 'end';
      /** '' where the server gives none (aggregated APIs that cannot be watched). */
      readonly resourceVersion: ResourceVersion;
      /** '' on the last page. */
      readonly continueToken: string;
      /** Absent with a selector and on the last page. */
      readonly remainingItemCount?: number;
    };

export interface DecodeListOptions {
  /** Largest item, and largest sum of everything but items, in bytes; default 16 MiB. */
  readonly maxObjectBytes?: number;
  /** For items without apiVersion and kind. Default: what the list says of itself, `ConfigMapList` of `v1`. */
  readonly defaults?: TypeMeta;
  /** As in `DecodeWatchOptions`. */
  readonly ownsChunks?: boolean;
}

const DEFAULT_MAX_OBJECT_BYTES = 16 * 1024 * 1024;

/**
 * Yields one batch of objects per item taken from `body` (an empty one where none was completed, as a sign of life),
 * then one `end`. Objects may be views into the chunks: keep them no longer than their batch, or copy them.
 *
 * Errors of `body` pass through. Throws Mk8sError `protocol` for a body that is no list (a Table, a Status), for an item
 * of more than `maxObjectBytes`, and, retryable, for a body that ends too early. Whole items before that were yielded.
 */
export async function* decodeList(
  body: ApiResponse['body'],
  options: DecodeListOptions = {},
): AsyncGenerator<ListPart> {
  const { maxObjectBytes: maxBytes = DEFAULT_MAX_OBJECT_BYTES, defaults, ownsChunks = false } = options;
  const splitter = new ListSplitter(maxBytes);
  const items = new ListItems(maxBytes, () => defaults ?? itemType(splitter.head));
  for await (const chunks of body) {
    try {
      for (const { bytes, own } of joinChunks(chunks, ownsChunks)) splitter.push(bytes, own, items);
    } catch (error) {
      if (items.found.length > 0) yield { kind: 'objects', objects: items.taken() };
      throw error;
    }
    yield { kind: 'objects', objects: items.taken() };
  }
  yield endOfList(splitter);
}

/** Says what items are where the list said so before them. */
function itemType({ apiVersion, kind }: ListSplitter['head']): TypeMeta | undefined {
  return typeof apiVersion === 'string' && typeof kind === 'string' && kind.endsWith('List')
    ? { apiVersion, kind: kind.slice(0, -'List'.length) }
    : undefined;
}

function endOfList(splitter: ListSplitter): ListPart {
  if (!splitter.complete) {
    throw truncatedError(
      'A list ended in the middle of its body; the items before are whole. Ask for this page again.',
    );
  }
  const { kind, metadata } = splitter.parseFrame() as { kind?: unknown; metadata?: Record<string, unknown> | null };
  if (!splitter.hasItems) {
    throw protocolError(
      `A list was expected, but the answer ${typeof kind === 'string' ? `is of kind ${kind}` : 'has no kind'} and has no items.`,
    );
  }
  const version = metadata?.resourceVersion;
  const token = metadata?.continue;
  const remaining = metadata?.remainingItemCount;
  return {
    kind: 'end',
    resourceVersion: resourceVersion(typeof version === 'string' ? version : ''),
    continueToken: typeof token === 'string' ? token : '',
    ...(typeof remaining === 'number' ? { remainingItemCount: remaining } : {}),
  };
}

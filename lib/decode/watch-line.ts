// One line of a watch: `{"type":"ADDED","object":{…}}`, read by the book: in any spelling. The one that servers use is
// mostly the byte scanner's (watch-lines.ts).
import { isUtf8 } from 'node:buffer';
import { type ResourceVersion, resourceVersion } from '../model/resource-version.ts';
import type { ScannedObject } from '../model/revision.ts';
import { CLOSE_BRACE, isSpace, OPEN_BRACE, parseString, QUOTE, skipSpace } from './json-bytes.ts';
import { Members } from './members.ts';
import { protocolError } from './protocol-error.ts';
import type { ObjectScanner } from './scan-object.ts';
import { type KubernetesStatus, parseStatus } from './status.ts';

export type WatchLine =
  | { readonly kind: 'object'; readonly type: ObjectType; readonly object: ScannedObject }
  | {
      readonly kind: 'bookmark';
      readonly resourceVersion: ResourceVersion;
      /** True for the one that ends a streaming list (annotation `k8s.io/initial-events-end`). */
      readonly initialEventsEnd: boolean;
    }
  | { readonly kind: 'error'; readonly status: KubernetesStatus };

export type ObjectType = 'ADDED' | 'MODIFIED' | 'DELETED';

const OBJECT_PREFIXES = (['MODIFIED', 'ADDED', 'DELETED'] as const).map((type) => ({
  type,
  bytes: Buffer.from(`{"type":"${type}","object":`),
}));

/** Decodes the lines of one watch, which resemble each other. */
export class WatchLineDecoder {
  private readonly objects: ObjectScanner;

  constructor(objects: ObjectScanner) {
    this.objects = objects;
  }

  /**
   * Decodes the line between `start` and `end`, without its newline. `inPlace` allows to overwrite it. Its object may be
   * a view into `bytes` (see `scanObject`). Throws Mk8sError `protocol` where the line is not a watch event.
   */
  decode(bytes: Buffer, start: number, end: number, inPlace: boolean): WatchLine {
    const last = trimEnd(bytes, start, end);
    // The object reaches to the brace before the last one. It is not walked: what an encoder began so, it ended so.
    if (bytes[last] === CLOSE_BRACE && bytes[last - 1] === CLOSE_BRACE) {
      for (const prefix of OBJECT_PREFIXES) {
        const object = start + prefix.bytes.length;
        if (bytes[object] === OPEN_BRACE && startsWith(bytes, start, prefix.bytes)) {
          return this.object(prefix.type, bytes, object, last, inPlace);
        }
      }
    }
    return this.decodeAny(bytes, start, last + 1, inPlace);
  }

  private decodeAny(bytes: Buffer, start: number, end: number, inPlace: boolean): WatchLine {
    const event = new Members(bytes, skipSpace(bytes, start, end), end);
    let type = '';
    let from = -1;
    let to = -1;
    while (event.next()) {
      event.skipValue();
      if (event.keyIs('type') && bytes[event.value] === QUOTE) type = parseString(bytes, event.value, event.end);
      else if (event.keyIs('object')) {
        from = event.value;
        to = event.end;
      }
    }
    if (event.end !== end) throw protocolError(`A watch event goes on after its end at byte ${event.end - start}.`);
    if (from < 0) throw protocolError('A watch event has no object.');
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        return this.object(type, bytes, from, to, inPlace);
      case 'BOOKMARK':
        return decodeBookmark(parseEvent(bytes, start, end).object);
      case 'ERROR':
        parseEvent(bytes, start, end);
        return { kind: 'error', status: parseStatus(bytes.toString('utf8', from, to)) };
      default:
        throw protocolError('A watch event has none of the types ADDED, MODIFIED, DELETED, BOOKMARK, ERROR.');
    }
  }

  private object(type: ObjectType, bytes: Buffer, start: number, end: number, inPlace: boolean): WatchLine {
    const object = this.objects.scan(bytes, start, end, undefined, inPlace);
    // A watch without resourceVersions cannot be resumed: better to fail at the event that lacks it.
    if (object.resourceVersion === '') {
      throw protocolError(`A watch event's object of kind ${object.kind} has no metadata.resourceVersion.`);
    }
    return { kind: 'object', type, object };
  }
}

/** The whole of an event that is rare and small, so that nothing in it has to be trusted: it moves the position, or ends the watch. */
function parseEvent(bytes: Buffer, start: number, end: number): { readonly object?: unknown } {
  try {
    const line = bytes.subarray(start, end);
    if (isUtf8(line)) return JSON.parse(line.toString('utf8')) as { readonly object?: unknown };
  } catch {
    // Its message would quote the line.
  }
  throw protocolError('A bookmark or error of a watch is not JSON.');
}

function decodeBookmark(object: unknown): WatchLine {
  type Bookmark = { metadata?: { resourceVersion?: unknown; annotations?: Record<string, unknown> } | null } | null;
  const metadata = (object as Bookmark)?.metadata;
  const version = metadata?.resourceVersion;
  if (typeof version !== 'string' || version === '') throw protocolError('A bookmark has no resourceVersion.');
  return {
    kind: 'bookmark',
    resourceVersion: resourceVersion(version),
    initialEventsEnd: metadata?.annotations?.['k8s.io/initial-events-end'] === 'true',
  };
}

/** The position of the last byte that is not white space; `start - 1` if there is none. */
function trimEnd(bytes: Buffer, start: number, end: number): number {
  let last = end - 1;
  while (last >= start && isSpace(bytes[last] as number)) last--;
  return last;
}

function startsWith(bytes: Buffer, at: number, text: Buffer): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

// What one line of a watch must be decoded as, by a reader by the book.
import type { WatchLine } from '../../lib/decode/watch-line.ts';
import type { ScannedObject } from '../../lib/model/revision.ts';
import { type Json, membersNamed, readJson, textOf } from './json-oracle.ts';
import { judgeObject } from './judge-object.ts';
import { must } from './target.ts';

/**
 * Throws where `decoded` (undefined: the line was refused, or the decoder stopped before it) is not what the line says.
 * `trusted`: the line is no JSON where the decoder does not look, and what it gave is none either.
 */
export function judgeLine(line: Buffer, decoded: WatchLine | undefined): 'read' | 'refused' | 'trusted' {
  const event = readJson(line);
  const object = only(event, 'object');
  if (event === undefined || membersNamed(event, 'object').length > 1 || membersNamed(event, 'type').length > 1) {
    // No JSON, or JSON that says two things: no right answer, so an error is one. What is given all the same must come
    // from this line.
    if (decoded === undefined) return 'refused';
    must(event !== undefined || decoded.kind === 'object', `a line that is no JSON was read as ${decoded.kind}`);
    if (decoded.kind === 'object') mustBePartOf(line, decoded.object);
    return 'trusted';
  }
  const type = textOf(only(event, 'type'));
  if (type === 'BOOKMARK') return judgeBookmark(object, decoded);
  if (type === 'ERROR' && object !== undefined) {
    must(decoded?.kind === 'error', 'an error was not read as one');
    return 'read';
  }
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') return mustRefuse(decoded, 'it has no known type');
  if (object?.kind !== 'object') return mustRefuse(decoded, 'it has no object');
  const scanned = decoded?.kind === 'object' ? decoded.object : undefined;
  must(decoded === undefined || (decoded.kind === 'object' && decoded.type === type), 'it was read as another type');
  // The fast way takes what ends in two braces for an event without further members, which is how servers write them.
  const more = event.kind === 'object' && event.members.length > 2;
  if (more && scanned !== undefined && readJson(scanned.object) === undefined) return 'trusted';
  return judgeObject(line, object, scanned, { mayLackVersion: false });
}

function judgeBookmark(object: Json | undefined, decoded: WatchLine | undefined): 'read' | 'refused' {
  const metadata = last(object, 'metadata');
  const version = textOf(last(metadata, 'resourceVersion'));
  if (version === undefined || version === '') return mustRefuse(decoded, 'a bookmark has no resourceVersion');
  const end = textOf(last(last(metadata, 'annotations'), 'k8s.io/initial-events-end')) === 'true';
  must(decoded?.kind === 'bookmark', 'a bookmark was not read as one');
  must(decoded.resourceVersion === version && decoded.initialEventsEnd === end, 'a bookmark says something else');
  return 'read';
}

function mustRefuse(decoded: WatchLine | undefined, why: string): 'refused' {
  must(decoded === undefined, `a line was read although ${why}`);
  return 'refused';
}

/** No other object was made of it: the bytes are those of the line but for one piece. */
function mustBePartOf(line: Buffer, { object }: ScannedObject): void {
  const bytes = Buffer.from(object);
  const from = line.indexOf('{', 1);
  let head = 0;
  while (head < bytes.length && line[from + head] === bytes[head]) head++;
  must(from >= 0 && line.includes(bytes.subarray(head)), 'an object was made of bytes that no server sent');
}

/** JSON.parse, too, takes the last of several. */
function last(value: Json | undefined, key: string): Json | undefined {
  return membersNamed(value, key).at(-1)?.value;
}

function only(value: Json | undefined, key: string): Json | undefined {
  const found = membersNamed(value, key);
  return found.length === 1 ? found[0]?.value : undefined;
}

// The hot path of the bridge: finds identity and version of a Kubernetes object in its bytes, and cuts managedFields
// out, without a full parse. Everything else is passed on as the server sent it (JSON.parse and JSON.stringify can
// alter it; bytes cannot).
import { resourceVersion } from '../model/resource-version.ts';
import type { ScannedObject } from '../model/revision.ts';
import { asBuffer, COMMA, QUOTE, readString, skipSpace, skipString } from './json-bytes.ts';
import { skipManagedFields } from './managed-fields.ts';
import { Members } from './members.ts';
import { protocolError } from './protocol-error.ts';

/** What an item of a built-in list leaves out: `{ apiVersion: 'v1', kind: 'ConfigMap' }`. */
export interface TypeMeta {
  readonly apiVersion: string;
  readonly kind: string;
}

/** What the walk has met so far. */
interface Found {
  apiVersion: string | undefined;
  kind: string | undefined;
  namespace: string;
  name: string;
  uid: string;
  resourceVersion: string;
  manager: string;
  /** The bytes to leave out; both 0 where there are none. */
  cutFrom: number;
  cutTo: number;
}

/**
 * Scans the object whose `{` is at `start` and whose `}` is at `end - 1`.
 *
 * It looks at the members up to the last of `apiVersion`, `kind` and `metadata`, in whatever order, with any white
 * space and escapes; what follows is trusted to be the rest of the object. `defaults` supplies apiVersion and kind
 * where the object has none, in the bytes too. Namespace, uid, resourceVersion and manager are '' where absent.
 *
 * The result's `object` may be a view into `bytes` and keeps all of it alive: who keeps it longer than the batch it
 * came with copies it. `bytes` itself is left as it is.
 *
 * Throws Mk8sError `protocol` for what is no Kubernetes object: without name, metadata, or apiVersion and kind.
 */
export function scanObject(bytes: Uint8Array, start: number, end: number, defaults?: TypeMeta): ScannedObject {
  const buffer = asBuffer(bytes);
  const found: Found = {
    apiVersion: undefined,
    kind: undefined,
    namespace: '',
    name: '',
    uid: '',
    resourceVersion: '',
    manager: '',
    cutFrom: 0,
    cutTo: 0,
  };
  scanMembers(buffer, start, end, found);
  const apiVersion = found.apiVersion ?? defaults?.apiVersion;
  const kind = found.kind ?? defaults?.kind;
  if (apiVersion === undefined || kind === undefined) throw protocolError('An object has no apiVersion and kind.');
  if (found.name === '') throw protocolError(`An object of kind ${kind} (${apiVersion}) has no metadata.name.`);
  const missing = missingTypeMeta(found, apiVersion, kind);
  return {
    apiVersion,
    kind,
    namespace: found.namespace,
    name: found.name,
    uid: found.uid,
    resourceVersion: resourceVersion(found.resourceVersion),
    manager: found.manager,
    object:
      missing === '' && found.cutTo === 0
        ? buffer.subarray(start, end)
        : rewrite(buffer, start, end, found.cutFrom, found.cutTo, missing),
  };
}

function scanMembers(bytes: Buffer, start: number, end: number, found: Found): void {
  const members = new Members(bytes, start, end);
  let wanted = 3;
  while (wanted > 0 && members.next()) {
    if (members.keyIs('apiVersion')) {
      found.apiVersion = takeString(bytes, members, end);
      wanted--;
    } else if (members.keyIs('kind')) {
      found.kind = takeString(bytes, members, end);
      wanted--;
    } else if (members.keyIs('metadata')) {
      members.end = scanMetadata(bytes, members.value, end, found);
      wanted--;
    } else members.skipValue();
  }
}

/** Returns the position after metadata. */
function scanMetadata(bytes: Buffer, at: number, end: number, found: Found): number {
  const members = new Members(bytes, at, end);
  let previous = 0;
  while (members.next()) {
    if (members.keyIs('name')) found.name = takeString(bytes, members, end);
    else if (members.keyIs('namespace')) found.namespace = takeString(bytes, members, end);
    else if (members.keyIs('uid')) found.uid = takeString(bytes, members, end);
    else if (members.keyIs('resourceVersion')) found.resourceVersion = takeString(bytes, members, end);
    else if (members.keyIs('managedFields')) {
      const fields = skipManagedFields(bytes, members.value, end);
      if (fields.manager >= 0) {
        found.manager = readString(bytes, fields.manager, skipString(bytes, fields.manager, end));
      }
      members.end = fields.end;
      cut(bytes, members, previous, end, found);
    } else members.skipValue();
    previous = members.end;
  }
  return members.end;
}

/** Marks the current member for leaving out, with one of the commas around it. `previous` is the end of the member before, 0 for none. */
function cut(bytes: Buffer, members: Members, previous: number, end: number, found: Found): void {
  const next = skipSpace(bytes, members.end, end);
  if (bytes[next] === COMMA) {
    found.cutFrom = members.key;
    found.cutTo = skipSpace(bytes, next + 1, end);
  } else {
    found.cutFrom = previous === 0 ? members.key : previous;
    found.cutTo = members.end;
  }
}

function takeString(bytes: Buffer, members: Members, end: number): string {
  const { value } = members;
  if (bytes[value] !== QUOTE) throw protocolError(`There is no string at byte ${value}.`);
  members.end = skipString(bytes, value, end);
  return readString(bytes, value, members.end);
}

/** The members that `found` lacks, in JSON with a comma after each; the order is that of Go's encoder. */
function missingTypeMeta(found: Found, apiVersion: string, kind: string): string {
  const first = found.kind === undefined ? `"kind":${JSON.stringify(kind)},` : '';
  return found.apiVersion === undefined ? `${first}"apiVersion":${JSON.stringify(apiVersion)},` : first;
}

/** A copy of the object with `insert` after its `{` and without the bytes from `cutFrom` to `cutTo`. */
function rewrite(bytes: Buffer, start: number, end: number, cutFrom: number, cutTo: number, insert: string): Buffer {
  const inserted = insert === '' ? 0 : Buffer.byteLength(insert);
  const copy = Buffer.allocUnsafe(end - start - (cutTo - cutFrom) + inserted);
  let at = 0;
  if (inserted > 0) {
    copy[0] = bytes[start] as number;
    at = 1 + copy.write(insert, 1);
  }
  const from = inserted > 0 ? start + 1 : start;
  at += bytes.copy(copy, at, from, cutTo === 0 ? end : cutFrom);
  if (cutTo !== 0) bytes.copy(copy, at, cutTo, end);
  return copy;
}

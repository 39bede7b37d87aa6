// The hot path of the bridge: finds identity and version of a Kubernetes object in its bytes, and cuts managedFields
// out, without a full parse. Everything else is passed on as the server sent it (JSON.parse and JSON.stringify can
// alter it; bytes cannot).
import { resourceVersion } from '../model/resource-version.ts';
import type { ScannedObject } from '../model/revision.ts';
import type { ByteScanner } from './byte-scanner.ts';
import { cutOut } from './cut-out.ts';
import { asBuffer } from './json-bytes.ts';
import { Members } from './members.ts';
import { type FoundMetadata, MetadataScanner } from './metadata.ts';
import { protocolError } from './protocol-error.ts';
import { readRow } from './read-row.ts';
import { StringReader } from './string-reader.ts';

/** What an item of a built-in list leaves out: `{ apiVersion: 'v1', kind: 'ConfigMap' }`. */
export interface TypeMeta {
  readonly apiVersion: string;
  readonly kind: string;
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
 * Throws Mk8sError `protocol` for what is no Kubernetes object: without metadata, name, or apiVersion and kind.
 */
export function scanObject(bytes: Uint8Array, start: number, end: number, defaults?: TypeMeta): ScannedObject {
  return shared.scan(asBuffer(bytes), start, end, defaults);
}

/** Objects of one stream resemble each other: a scanner remembers how they begin, and strings that they repeat. */
export class ObjectScanner {
  private readonly strings = new StringReader();
  private readonly metadata = new MetadataScanner(this.strings);
  /** The bytes before metadata's value in the last object that began with apiVersion, kind and metadata: never changed in place. */
  beginning = Buffer.alloc(0);
  /** What the beginning says. */
  private beginningSays: TypeMeta = { apiVersion: '', kind: '' };
  /** How untyped objects begin once they have the type that was last asked for. */
  private opening: { readonly type?: TypeMeta; readonly bytes: Buffer | undefined } = { bytes: undefined };

  /**
   * As `scanObject`. With `inPlace` the bytes between `start` and `end` may be overwritten: closing the gap of
   * managedFields where it is takes a third of the time of copying the object.
   */
  scan(bytes: Buffer, start: number, end: number, defaults?: TypeMeta, inPlace = false): ScannedObject {
    let type: Partial<TypeMeta> = this.beginningSays;
    let found: FoundMetadata | undefined;
    if (beginsWith(bytes, start, this.beginning)) found = this.metadata.scan(bytes, start + this.beginning.length, end);
    else ({ type, found } = this.scanMembers(bytes, start, end));
    const apiVersion = type.apiVersion ?? defaults?.apiVersion;
    const kind = type.kind ?? defaults?.kind;
    if (apiVersion === undefined || kind === undefined) throw protocolError('An object has no apiVersion and kind.');
    if (found === undefined || found.name === '') {
      throw protocolError(`An object of kind ${kind} (${apiVersion}) has no metadata.name.`);
    }
    const { cutFrom, cutTo } = found;
    return {
      apiVersion,
      kind,
      namespace: found.namespace,
      name: found.name,
      uid: found.uid,
      resourceVersion: resourceVersion(found.resourceVersion),
      manager: found.manager,
      object: cutOut(bytes, { start, end, cutFrom, cutTo }, openingWith(type, { apiVersion, kind }), inPlace),
    };
  }

  /**
   * The object of a row that the byte scanner made of `bytes` with this scanner's `beginning`: what `scan` would give. With
   * `defaults`, of one that the scanner took as untyped.
   */
  take(bytes: Buffer, scanner: ByteScanner, row: number, inPlace: boolean, defaults?: TypeMeta): ScannedObject {
    const { strings, beginningSays } = this;
    if (defaults === undefined) return readRow(bytes, scanner, row, { strings, type: beginningSays, inPlace });
    if (this.opening.type !== defaults) this.opening = { type: defaults, bytes: openingWith({}, defaults) };
    return readRow(bytes, scanner, row, { strings, type: defaults, opening: this.opening.bytes, inPlace });
  }

  private scanMembers(bytes: Buffer, start: number, end: number): { type: Partial<TypeMeta>; found?: FoundMetadata } {
    const members = new Members(bytes, start, end);
    let apiVersion: string | undefined;
    let kind: string | undefined;
    let found: FoundMetadata | undefined;
    for (let count = 1; members.next(); count++) {
      if (members.keyIs('apiVersion')) apiVersion = this.takeString(bytes, members, end);
      else if (members.keyIs('kind')) kind = this.takeString(bytes, members, end);
      else if (members.keyIs('metadata')) {
        found = this.metadata.scan(bytes, members.value, end);
        members.end = found.end;
        if (count === 3 && apiVersion !== undefined && kind !== undefined) {
          this.beginning = Buffer.from(bytes.subarray(start, members.value));
          this.beginningSays = { apiVersion, kind };
        }
      } else members.skipValue();
      if (apiVersion !== undefined && kind !== undefined && found !== undefined) break;
    }
    const type = { ...(apiVersion === undefined ? {} : { apiVersion }), ...(kind === undefined ? {} : { kind }) };
    return found === undefined ? { type } : { type, found };
  }

  private takeString(bytes: Buffer, members: Members, end: number): string {
    const text = this.strings.readFrequent(bytes, members.value, end);
    members.end = this.strings.end;
    return text;
  }
}

function beginsWith(bytes: Buffer, at: number, text: Buffer): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return text.length > 0;
}

/** A `{` and the members that the object lacks, each with a comma; the order is that of Go's encoder. Undefined for none. */
function openingWith(type: Partial<TypeMeta>, { apiVersion, kind }: TypeMeta): Buffer | undefined {
  const first = type.kind === undefined ? `"kind":${JSON.stringify(kind)},` : '';
  const second = type.apiVersion === undefined ? `"apiVersion":${JSON.stringify(apiVersion)},` : '';
  return first === '' && second === '' ? undefined : Buffer.from(`{${first}${second}`);
}

/** For those who scan objects one by one. What it remembers is only ever a shortcut. */
const shared = new ObjectScanner();

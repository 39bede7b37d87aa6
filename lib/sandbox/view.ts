// The forms in which a client can ask for objects: whole, metadata only, or as a Table; and in which version.
import { asObject, encode, type Json, type JsonObject, sorted } from './json.ts';
import { type KubeObject, type ObjectVersion, parseVersion, typedMetadata } from './object.ts';
import type { Served } from './registry.ts';
import { groupVersion } from './resource.ts';
import { ApiError, statusBody } from './status.ts';
import { cells, columnDefinitions, emptyCells } from './table.ts';

export interface Form {
  readonly as: 'object' | 'metadata' | 'table';
  readonly media: 'json' | 'yaml';
}

/** What the Accept header asks for; the first alternative that the server has wins. Throws 406 where it has none. */
export function negotiate(accept: string | undefined): Form {
  for (const alternative of (accept ?? '*/*').split(',')) {
    const [type, ...parameters] = alternative.split(';').map((part) => part.trim());
    const as = parameters.find((parameter) => parameter.startsWith('as='))?.slice(3);
    if (type === 'application/yaml' && as === undefined) return { as: 'object', media: 'yaml' };
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue;
    if (as === undefined) return { as: 'object', media: 'json' };
    if (as === 'Table') return { as: 'table', media: 'json' };
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return { as: 'metadata', media: 'json' };
  }
  throw notAcceptable('application/json, application/yaml, application/vnd.kubernetes.protobuf');
}

export function notAcceptable(accepted: string): ApiError {
  const message = `only the following media types are accepted: ${accepted}`;
  return new ApiError(406, statusBody(406, 'NotAcceptable', message), message);
}

export interface ListMeta {
  readonly resourceVersion: string;
  /** undefined where there is no next page. */
  readonly continue: string | undefined;
  readonly remainingItemCount: number | undefined;
}

/** Writes objects, lists and watch events of one resource and version in one form. */
export class View {
  readonly #served: Served;
  readonly #as: Form['as'];
  readonly #includeObject: string;
  readonly #now: () => number;
  readonly #apiVersion: string;
  #columnsSent = false;

  constructor(served: Served, form: Form, includeObject: string | null, now: () => number) {
    this.#served = served;
    this.#as = form.as;
    this.#includeObject = includeObject ?? 'Metadata';
    this.#now = now;
    this.#apiVersion = groupVersion(served.resource.group, served.version.name);
  }

  /** One object by itself, as get, create and update answer. */
  object(version: ObjectVersion): string {
    if (this.#as !== 'table') return this.#item(version);
    const metadata = { resourceVersion: String(version.revision) };
    return encode(this.#table(metadata, [this.#row(parseVersion(version))], true));
  }

  /** One object in a watch event: a Table names its columns only in the first. */
  event(version: ObjectVersion): string {
    if (this.#as !== 'table') return this.#item(version);
    const metadata = { resourceVersion: String(version.revision) };
    const text = encode(this.#table(metadata, [this.#row(parseVersion(version))], !this.#columnsSent));
    this.#columnsSent = true;
    return text;
  }

  bookmark(revision: number, annotations: JsonObject | undefined): string {
    const { resource } = this.#served;
    const rest = annotations === undefined ? {} : { annotations };
    const typed: JsonObject = { resourceVersion: String(revision), ...rest };
    const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: typed };
    if (this.#as === 'metadata') return encode(partial);
    if (this.#as === 'table') {
      const row = { cells: emptyCells(this.#served.version.columns), object: partial };
      return encode(this.#table({ resourceVersion: String(revision) }, [row], false));
    }
    if (resource.custom) return encode({ apiVersion: this.#apiVersion, kind: resource.kind, metadata: sorted(typed) });
    return encode({ kind: resource.kind, apiVersion: this.#apiVersion, metadata: typed, ...emptyParts(resource.kind) });
  }

  /** A list in pieces; joined they are its JSON. */
  list(items: readonly ObjectVersion[], meta: ListMeta): string[] {
    const { resource } = this.#served;
    if (this.#as === 'table') {
      const rows = items.map((item) => this.#row(parseVersion(item)));
      return [encode(this.#table(listMeta(meta), rows, true))];
    }
    const texts = items.map((item) => this.#item(item));
    if (this.#as === 'metadata') {
      const head = `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":${encode(listMeta(meta))},"items":[`;
      return [head, ...separated(texts), ']}'];
    }
    if (resource.custom) {
      const tail = `],"kind":${encode(resource.listKind)},"metadata":${encode(customListMeta(meta))}}`;
      return [`{"apiVersion":${encode(this.#apiVersion)},"items":[`, ...separated(texts), tail];
    }
    const head = `{"kind":${encode(resource.listKind)},"apiVersion":${encode(this.#apiVersion)},"metadata":${encode(listMeta(meta))},"items":[`;
    // Items of built-in lists say neither kind nor apiVersion.
    const prefix = `{"kind":${encode(resource.kind)},"apiVersion":${encode(this.#apiVersion)},`;
    return [head, ...separated(texts.map((text) => `{${text.slice(prefix.length)}`)), ']}'];
  }

  #item(version: ObjectVersion): string {
    if (this.#as === 'metadata') return encode(partialMetadata(parseVersion(version)));
    if (!this.#served.resource.custom) return version.text;
    // Custom resources begin with apiVersion, and differ between versions in nothing else (conversion strategy None).
    const end = version.text.indexOf('"', '{"apiVersion":"'.length);
    return `{"apiVersion":"${this.#apiVersion}${version.text.slice(end)}`;
  }

  #row(object: KubeObject): JsonObject {
    const { columns } = this.#served.version;
    object.apiVersion = this.#apiVersion;
    const shown: Record<string, Json> = { None: null, Object: object };
    const whole = this.#includeObject in shown ? shown[this.#includeObject] : partialMetadata(object);
    return { cells: cells(object, columns, this.#now()), object: whole ?? null };
  }

  #table(metadata: JsonObject, rows: JsonObject[], withColumns: boolean): JsonObject {
    const columns = withColumns ? columnDefinitions(this.#served.version.columns) : null;
    return { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: columns, rows };
  }
}

function partialMetadata({ metadata }: KubeObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: typedMetadata(metadata) };
}

function emptyParts(kind: string): JsonObject {
  if (kind === 'ConfigMap' || kind === 'Secret' || kind === 'ServiceAccount') return {};
  if (kind !== 'CustomResourceDefinition') return { spec: {}, status: {} };
  const names = { plural: '', kind: '' };
  return {
    spec: { group: '', names, scope: '', versions: null },
    status: { conditions: null, acceptedNames: names, storedVersions: null },
  };
}

function listMeta(meta: ListMeta): JsonObject {
  const { resourceVersion, remainingItemCount } = meta;
  return asObject({
    resourceVersion,
    ...(meta.continue === undefined ? {} : { continue: meta.continue }),
    ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
  });
}

/** Lists of custom resources are maps too: sorted keys, and an empty continue on the last page. */
function customListMeta({ resourceVersion, remainingItemCount, continue: token = '' }: ListMeta): JsonObject {
  return { continue: token, ...(remainingItemCount === undefined ? {} : { remainingItemCount }), resourceVersion };
}

function separated(texts: readonly string[]): string[] {
  return texts.map((text, index) => (index === 0 ? text : `,${text}`));
}

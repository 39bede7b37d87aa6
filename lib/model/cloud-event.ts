// A change as subscribers see it: CloudEvents 1.0, in the words of Knative's ApiServerSource.
import { formatGroupResource } from './resource.ts';
import { type ChangeType, changeId, type Origin, type Revision } from './revision.ts';

/** Context attributes of a change; `data` (the object's JSON bytes) travels beside them. */
export interface CloudEventAttributes {
  readonly specversion: '1.0';
  /** Deterministic (promise 5). */
  readonly id: string;
  /** `//CLUSTER-ID`: a URI reference. */
  readonly source: string;
  readonly type: `dev.knative.apiserver.resource.${ChangeType}`;
  /** The object's API path. */
  readonly subject: string;
  /** When it was observed, RFC 3339. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly kind: string;
  readonly apiversion: string;
  /** `PLURAL.GROUP`. */
  readonly resource: string;
  readonly name: string;
  /** Absent for cluster-scoped objects (CloudEvents has no empty attributes). */
  readonly namespace?: string;
  readonly cluster: string;
  readonly resourceversion: string;
  readonly epoch: number;
  readonly origin: Origin;
  /** Who wrote last, from managedFields; absent where unknown. */
  readonly manager?: string;
}

export function cloudEventAttributes(revision: Revision): CloudEventAttributes {
  const { stream, namespace, name, epoch, uid, resourceVersion, type, manager } = revision;
  return {
    specversion: '1.0',
    id: changeId(stream.cluster, epoch, uid, resourceVersion, type),
    source: `//${stream.cluster}`,
    type: `dev.knative.apiserver.resource.${type}`,
    subject: objectPath(revision),
    time: new Date(revision.observedAt).toISOString(),
    datacontenttype: 'application/json',
    kind: revision.kind,
    apiversion: revision.apiVersion,
    resource: formatGroupResource(stream),
    name,
    ...(namespace === '' ? {} : { namespace }),
    cluster: stream.cluster,
    resourceversion: resourceVersion,
    epoch,
    origin: revision.origin,
    ...(manager === '' ? {} : { manager }),
  };
}

/** `/apis/GROUP/VERSION/namespaces/NS/PLURAL/NAME`, or `/api/v1/…` for core resources. */
function objectPath({ apiVersion, namespace, name, stream }: Revision): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === '' ? '' : `/namespaces/${namespace}`;
  return `${root}${scope}/${stream.plural}/${name}`;
}

/** The structured JSON form of a change, `{"specversion":…,"data":OBJECT}`, as text. The object's bytes are not parsed. */
export function cloudEventJson(revision: Revision): string {
  const attributes = JSON.stringify(cloudEventAttributes(revision));
  return `${attributes.slice(0, -1)},"data":${Buffer.from(revision.object.buffer, revision.object.byteOffset, revision.object.byteLength).toString('utf8')}}`;
}

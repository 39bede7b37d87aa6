// Names of resources, in Kubernetes' own terms.

/** A resource without its version: `httproutes` of `gateway.networking.k8s.io`. Core resources have group ''. */
export interface GroupResource {
  readonly group: string;
  /** Lower-case plural, as in URLs. */
  readonly plural: string;
}

export interface GroupVersionResource extends GroupResource {
  readonly version: string;
}

/** A resource as discovery describes it, in its preferred served version. */
export interface ResourceInfo extends GroupVersionResource {
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  /** True where a CustomResourceDefinition defines it (else it is built in, or served by an aggregated API). */
  readonly custom: boolean;
}

/** `httproutes.gateway.networking.k8s.io`; for core resources just the plural, `secrets`. */
export function formatGroupResource({ group, plural }: GroupResource): string {
  return group === '' ? plural : `${plural}.${group}`;
}

/** The reverse of `formatGroupResource`: the plural is what stands before the first dot. */
export function parseGroupResource(text: string): GroupResource {
  const dot = text.indexOf('.');
  return dot < 0 ? { group: '', plural: text } : { plural: text.slice(0, dot), group: text.slice(dot + 1) };
}

/** The API path of a collection: `/apis/GROUP/VERSION[/namespaces/NS]/PLURAL`, or `/api/v1/…` for core resources. */
export function collectionPath({ group, version, plural }: GroupVersionResource, namespace?: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return namespace === undefined || namespace === ''
    ? `${root}/${plural}`
    : `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

// A stream: one cluster × one resource (group + plural) × one selector. The unit of watching, leasing, checkpointing.
import { formatGroupResource, type GroupResource } from './resource.ts';

/** Stable, globally unique identity of a cluster: GKE resource name, else kube-system's namespace uid. */
export type ClusterId = string & { readonly __brand: 'ClusterId' };

export function clusterId(text: string): ClusterId {
  return text as ClusterId;
}

export interface Selector {
  /** One namespace; absent means all (or a cluster-scoped resource). */
  readonly namespace?: string;
  /** Kubernetes label selector syntax. */
  readonly labelSelector?: string;
  /** Kubernetes field selector syntax. */
  readonly fieldSelector?: string;
}

/** Names a stream. It has no version: a stream outlives a change of the served version. */
export interface StreamRef extends GroupResource {
  readonly cluster: ClusterId;
  readonly selector: Selector;
}

/** `CLUSTER/PLURAL.GROUP[?fieldSelector=…&labelSelector=…&namespace=…]`: one text per stream, used as its key everywhere. */
export type StreamKey = string & { readonly __brand: 'StreamKey' };

export function streamKey(stream: StreamRef): StreamKey {
  const query = new URLSearchParams();
  const { fieldSelector, labelSelector, namespace } = stream.selector;
  if (fieldSelector) query.set('fieldSelector', fieldSelector);
  if (labelSelector) query.set('labelSelector', labelSelector);
  if (namespace) query.set('namespace', namespace);
  const suffix = query.size > 0 ? `?${query.toString()}` : '';
  return `${stream.cluster}/${formatGroupResource(stream)}${suffix}` as StreamKey;
}

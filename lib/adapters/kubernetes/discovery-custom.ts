// Which resources are custom: defined by a CustomResourceDefinition.
import { Mk8sError } from '../../model/errors.ts';
import { formatGroupResource, type GroupResource } from '../../model/resource.ts';
import { listPages } from './client-list.ts';
import type { Target } from './rest.ts';

/**
 * Groups that kube-apiserver itself serves or served (k8s.io/api, apiextensions-apiserver and kube-aggregator as of
 * Kubernetes 1.36, and the removed ones that older servers still have), and the metrics APIs, which are always served
 * by an aggregated API server. All other groups with a dot are CRDs' (a CRD's group must have one) or, rarely, an
 * aggregated API server's. The suffix says nothing: gateway.networking.k8s.io, *.x-k8s.io and snapshot.storage.k8s.io
 * are groups of CRDs.
 */
const builtInGroups = new Set([
  'admission.k8s.io',
  'admissionregistration.k8s.io',
  'apidiscovery.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'auditregistration.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'imagepolicy.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'settings.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
  'metrics.k8s.io',
  'custom.metrics.k8s.io',
  'external.metrics.k8s.io',
]);

/**
 * Answers a function that tells whether a resource is custom: by the names of all CRDs (a CRD is named PLURAL.GROUP),
 * listed metadata-only; where that is denied (403) or the server has no CRDs (404), by the name of the group.
 * Throws Mk8sError where the list fails otherwise: guessing would make resources appear and disappear.
 */
export async function customGroupResources(
  target: Target,
  signal: AbortSignal | undefined,
): Promise<(resource: GroupResource) => boolean> {
  const attempt = 'list customresourcedefinitions.apiextensions.k8s.io';
  const names = new Set<string>();
  try {
    const pages = listPages(target, {
      path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      metadataOnly: true,
      attempt,
      ...(signal === undefined ? {} : { signal }),
    });
    for await (const page of pages) for (const { name } of page) names.add(name);
  } catch (error) {
    const guess = error instanceof Mk8sError && (error.status === 403 || error.status === 404);
    if (!guess) throw error;
    return isCustomByGroup;
  }
  return (resource) => names.has(formatGroupResource(resource));
}

/** The fallback: every group with a dot that is not one of Kubernetes' own. */
export function isCustomByGroup({ group }: GroupResource): boolean {
  return group.includes('.') && !builtInGroups.has(group);
}

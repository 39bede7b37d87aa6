// Which workload identity pool of Google trusts a cluster's service accounts, as the cluster itself knows it.
import { Mk8sError } from '../../model/errors.ts';
import { placeInName } from '../../model/gke-name.ts';
import { isRecord } from './client-object.ts';
import { sendJson, type Target } from './rest.ts';

export interface WorkloadPool {
  /** `PROJECT.svc.id.goog`: the audience of the JWTs. */
  readonly pool: string;
  /** Who issued them, as the pool calls it. */
  readonly provider: string;
}

/**
 * A registered cluster has an object of its fleet membership
 * (https://cloud.google.com/kubernetes-engine/fleet-management/docs/use-workload-identity); GKE's issuer is the
 * cluster's own link, also where it is in no fleet. Undefined for other clusters, and where neither may be read.
 */
export async function readWorkloadPool(target: Target, signal?: AbortSignal): Promise<WorkloadPool | undefined> {
  const membership = await readIfAllowed(target, '/apis/hub.gke.io/v1/memberships/membership', signal);
  const spec = isRecord(membership['spec']) ? membership['spec'] : {};
  const { workload_identity_pool: pool, identity_provider: provider } = spec;
  if (typeof pool === 'string' && pool !== '' && typeof provider === 'string' && provider !== '') {
    return { pool, provider };
  }
  const { issuer } = await readIfAllowed(target, '/.well-known/openid-configuration', signal);
  return typeof issuer === 'string' ? gkePool(issuer) : undefined;
}

/** As far as the cluster's name tells (`placeInName`): its project's pool, and its link there. Undefined for other names. */
export function namedPool(cluster: string): WorkloadPool | undefined {
  const place = placeInName(cluster);
  if (place === undefined) return undefined;
  const { kind, project, location, name } = place;
  const provider =
    kind === 'gke'
      ? `https://container.googleapis.com/v1/projects/${project}/locations/${location}/clusters/${name}`
      : `https://gkehub.googleapis.com/projects/${project}/locations/${location}/memberships/${name}`;
  return { pool: `${project}.svc.id.goog`, provider };
}

/** The pool of a GKE cluster, by its link `https://container.googleapis.com/v1/projects/P/locations/L/clusters/C`. */
function gkePool(link: string): WorkloadPool | undefined {
  const [, project] =
    /^https:\/\/container\.googleapis\.com\/v1\/projects\/([^/]+)\/locations\/[^/]+\/clusters\/[^/]+$/.exec(link) ?? [];
  return project === undefined ? undefined : { pool: `${project}.svc.id.goog`, provider: link };
}

/** Empty where there is no such thing, or it may not be read. */
async function readIfAllowed(
  target: Target,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, unknown>>> {
  const request = { path, headers: { accept: 'application/json' }, ...(signal === undefined ? {} : { signal }) };
  try {
    const answer = await sendJson(target, request, 'read its workload identity pool');
    return isRecord(answer) ? answer : {};
  } catch (error) {
    if (error instanceof Mk8sError && (error.status === 404 || error.status === 403)) return {};
    throw error;
  }
}

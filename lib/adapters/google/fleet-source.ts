// Fleet memberships as candidates: through Connect Gateway, or directly where the membership is a GKE cluster that the gke
// source lists too. Both ways are told; the inventory makes one cluster of them.
import { hash } from 'node:crypto';
import type { Problem } from '../../model/cluster.ts';
import { messageOf } from '../../model/errors.ts';
import type { ApiServer } from '../../ports/api-server.ts';
import type { ClusterCandidate, ClusterSource } from '../../ports/cluster-source.ts';
import { gatewayName } from './connect-gateway.ts';
import type { HubMemberships, Membership } from './hub-memberships.ts';

const SOURCE = 'fleet';

export interface FleetSourceOptions {
  readonly hub: HubMemberships;
  /** Ids of the fleets' host projects; asked at each reading. */
  readonly projects: () => Promise<readonly string[]>;
  readonly open: (endpoint: { readonly name: string; readonly server: URL; readonly ca: undefined }) => ApiServer;
  /** Default Connect Gateway's own hosts. */
  readonly gatewayUrl?: URL;
}

/** States in which the gateway forwards. */
const SERVING = new Set(['READY', 'UPDATING', 'SERVICE_UPDATING']);

/** A project that cannot be listed is a problem; the others go on. */
export function fleetSource(options: FleetSourceOptions): ClusterSource {
  return {
    name: SOURCE,
    async discover(signal) {
      const projects = await options.projects();
      const answers = await Promise.all(projects.map((project) => listOne(project, options, signal)));
      return {
        candidates: answers.flatMap(({ candidates }) => candidates),
        problems: answers.flatMap(({ problems }) => problems),
      };
    },
  };
}

async function listOne(
  project: string,
  options: FleetSourceOptions,
  signal: AbortSignal | undefined,
): Promise<{ candidates: readonly ClusterCandidate[]; problems: readonly Problem[] }> {
  const { hub } = options;
  try {
    const [{ memberships, missing }, number] = await Promise.all([
      hub.list(project, signal),
      hub.projectNumber(project, signal),
    ]);
    const message = `GKE Hub did not hear from ${missing.join(', ')} of project ${project}: memberships there may be missing from the list`;
    return {
      candidates: memberships.map((membership) => candidateOf(membership, number, options)),
      problems: missing.length === 0 ? [] : [{ source: SOURCE, message }],
    };
  } catch (error) {
    signal?.throwIfAborted();
    return { candidates: [], problems: [{ source: SOURCE, message: messageOf(error) }] };
  }
}

function candidateOf(
  membership: Membership,
  projectNumber: string,
  { open, gatewayUrl }: FleetSourceOptions,
): ClusterCandidate {
  const { project, location, name, state, labels, gkeCluster } = membership;
  const fullName = `connectgateway_${project}_${location}_${name}`;
  const server = gatewayServer(membership, projectNumber, gatewayUrl);
  const unavailable = SERVING.has(state) ? undefined : `GKE Hub says ${state}`;
  return {
    name: fullName,
    source: SOURCE,
    server: server.href,
    namespace: 'default',
    isDefault: false,
    id:
      gkeCluster === ''
        ? `//gkehub.googleapis.com/projects/${project}/locations/${location}/memberships/${name}`
        : `//container.googleapis.com/${gkeCluster}`,
    project,
    location,
    state,
    labels,
    gateway: gatewayName(projectNumber),
    fingerprint: hash('sha256', JSON.stringify([server.href, unavailable]), 'hex'),
    ...(unavailable === undefined ? {} : { unavailable }),
    connect: () => open({ name: fullName, server, ca: undefined }),
  };
}

/**
 * As gcloud's `fleet memberships get-credentials` writes it: regional memberships have regional hosts, and GKE's own are
 * a collection of their own.
 */
function gatewayServer({ location, name, gkeCluster }: Membership, projectNumber: string, gatewayUrl?: URL): URL {
  const host = location === 'global' ? 'connectgateway' : `${location}-connectgateway`;
  const collection = gkeCluster === '' ? 'memberships' : 'gkeMemberships';
  return new URL(
    `/v1/projects/${projectNumber}/locations/${location}/${collection}/${name}`,
    gatewayUrl ?? `https://${host}.googleapis.com`,
  );
}

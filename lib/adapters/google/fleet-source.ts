// Fleet memberships as candidates: through Connect Gateway, or directly where the membership is a GKE cluster that the gke
// source lists too. Both ways are told; the inventory makes one cluster of them.
import { hash } from 'node:crypto';
import type { ApiServer } from '../../ports/api-server.ts';
import type { ClusterCandidate, ClusterSource } from '../../ports/cluster-source.ts';
import { gatewayName } from './connect-gateway.ts';
import type { GoogleEndpoint } from './gke-source.ts';
import type { HubMemberships, Membership } from './hub-memberships.ts';
import { keepAnswers, problemsOf } from './kept-answers.ts';

const SOURCE = 'fleet';
const ASKED = { source: SOURCE, service: 'GKE Hub', items: 'memberships' };

export interface FleetSourceOptions {
  readonly hub: HubMemberships;
  /** Ids of the fleets' host projects; asked at each reading. */
  readonly projects: () => Promise<readonly string[]>;
  readonly open: (endpoint: GoogleEndpoint) => ApiServer;
  /** Default Connect Gateway's own hosts. */
  readonly gatewayUrl?: URL;
}

/** States in which the gateway forwards. */
const SERVING = new Set(['READY', 'UPDATING', 'SERVICE_UPDATING']);

/** A membership, and what Connect Gateway calls its project. */
interface Addressed extends Membership {
  readonly projectNumber: string;
}

/** A project that cannot be listed is a problem, and has the memberships that it had; the others go on. */
export function fleetSource(options: FleetSourceOptions): ClusterSource {
  const { hub } = options;
  const list = keepAnswers(async (project, signal) => {
    const [{ memberships, missing }, projectNumber] = await Promise.all([
      hub.list(project, signal),
      hub.projectNumber(project, signal),
    ]);
    return { items: memberships.map((membership): Addressed => ({ ...membership, projectNumber })), missing };
  });
  return {
    name: SOURCE,
    async discover(signal) {
      const projects = await options.projects();
      const answers = await Promise.all(projects.map((project) => list(project, signal)));
      return {
        candidates: answers.flatMap(({ items }) => items.map((membership) => candidateOf(membership, options))),
        problems: answers.flatMap((answer) => problemsOf(ASKED, answer)),
      };
    },
  };
}

function candidateOf(membership: Addressed, { open, gatewayUrl }: FleetSourceOptions): ClusterCandidate {
  const { project, location, name, state, labels, gkeCluster } = membership;
  const fullName = `connectgateway_${project}_${location}_${name}`;
  const server = gatewayServer(membership, gatewayUrl);
  const unavailable = whyNot(membership);
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
    gateway: gatewayName(membership.projectNumber),
    fingerprint: hash('sha256', JSON.stringify([server.href, unavailable]), 'hex'),
    ...(unavailable === undefined ? {} : { unavailable }),
    connect: () => open({ name: fullName, project, server, ca: undefined }),
  };
}

/**
 * As gcloud's `fleet memberships get-credentials` writes it: regional memberships have regional hosts, and GKE's own are
 * a collection of their own.
 */
function gatewayServer({ location, name, gkeCluster, projectNumber }: Addressed, gatewayUrl?: URL): URL {
  const host = location === 'global' ? 'connectgateway' : `${location}-connectgateway`;
  const collection = gkeCluster === '' ? 'memberships' : 'gkeMemberships';
  return new URL(
    `/v1/projects/${projectNumber}/locations/${location}/${collection}/${name}`,
    gatewayUrl ?? `https://${host}.googleapis.com`,
  );
}

function whyNot({ project, location, name, state, hasEndpoint }: Membership): string | undefined {
  if (!SERVING.has(state)) return `GKE Hub says ${state}`;
  if (hasEndpoint) return undefined;
  return `membership ${name} in ${location} of the fleet of project ${project} has no endpoint: no cluster is registered under it. Register it: gcloud container fleet memberships register ${name} --location ${location} --project ${project} --context CONTEXT`;
}

// GKE clusters as candidates: every cluster of the given projects, or a single one that is named.
import { hash } from 'node:crypto';
import type { Problem } from '../../model/cluster.ts';
import type { GkeName } from '../../model/gke-name.ts';
import type { ApiServer } from '../../ports/api-server.ts';
import type { ClusterCandidate, ClusterSource } from '../../ports/cluster-source.ts';
import type { GkeCluster, GkeClusters } from './gke-clusters.ts';
import { keepAnswers, problemsOf } from './kept-answers.ts';

const SOURCE = 'gke';
const ASKED = { source: SOURCE, service: 'GKE', items: 'clusters' };

type EndpointKind = keyof GkeCluster['endpoints'];

/** A way to a cluster, to be opened with the source's tokens. */
export interface GoogleEndpoint {
  readonly name: string;
  /** Whose it is. */
  readonly project: string;
  readonly server: URL;
  /** PEM; undefined where the server has a public certificate. */
  readonly ca: string | undefined;
}

export interface GkeSourceOptions {
  readonly clusters: GkeClusters;
  /** Ids of the projects; asked at each reading. Throws Mk8sError where the current project is wanted and not known. */
  readonly projects: () => Promise<readonly string[]>;
  /** Only these, where any are named. */
  readonly only?: readonly GkeName[];
  /** Which endpoint to take, the first that a cluster has. */
  readonly endpoints: readonly EndpointKind[];
  readonly open: (endpoint: GoogleEndpoint) => ApiServer;
}

/** Statuses in which the control plane answers: https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters#status */
const SERVING = new Set(['RUNNING', 'RECONCILING', 'DEGRADED']);

/** A project that cannot be listed is a problem, and has the clusters that it had; the others go on. */
export function gkeSource(options: GkeSourceOptions): ClusterSource {
  const { only = [] } = options;
  const list = keepAnswers(async (project) => {
    const { clusters, missing } = await options.clusters.list(project);
    return { items: clusters, missing };
  });
  return {
    name: SOURCE,
    async discover(signal) {
      const named = new Set(only.map(({ project }) => project));
      const projects = named.size > 0 ? [...named] : await options.projects();
      const answers = await Promise.all(projects.map((project) => list(project, signal)));
      const found = answers.flatMap(({ items }) => items);
      const wanted = only.length === 0 ? found : found.filter((cluster) => only.some((name) => isNamed(cluster, name)));
      const listed = new Set(answers.filter(({ failure }) => failure === undefined).map(({ project }) => project));
      const absent = only.filter(
        (name) => listed.has(name.project) && !found.some((cluster) => isNamed(cluster, name)),
      );
      return {
        candidates: wanted.map((cluster) => candidateOf(cluster, options)),
        problems: [...answers.flatMap((answer) => problemsOf(ASKED, answer)), ...absent.map(problemOfAbsent)],
      };
    },
  };
}

function isNamed({ project, location, name }: GkeCluster, wanted: GkeName): boolean {
  return project === wanted.project && location === wanted.location && name === wanted.name;
}

function problemOfAbsent({ project, location, name }: GkeName): Problem {
  return { source: SOURCE, message: `There is no GKE cluster "${name}" in ${location} of project ${project}` };
}

function candidateOf(cluster: GkeCluster, { endpoints, open }: GkeSourceOptions): ClusterCandidate {
  const { project, location, name, status, labels, ca } = cluster;
  const fullName = `gke_${project}_${location}_${name}`;
  const kind = endpoints.find((each) => cluster.endpoints[each] !== '');
  const host = kind === undefined ? '' : cluster.endpoints[kind];
  const server = host === '' ? '' : `https://${host}`;
  // The name under gke.goog has a certificate that every system trusts; addresses have the cluster's own.
  const trusted = kind === 'dns' ? undefined : ca;
  const unavailable = whyNot(cluster, endpoints, kind);
  return {
    name: fullName,
    source: SOURCE,
    server,
    ...(trusted === undefined ? {} : { certificateAuthority: trusted }),
    namespace: 'default',
    isDefault: false,
    id: `//container.googleapis.com/projects/${project}/locations/${location}/clusters/${name}`,
    project,
    location,
    state: status,
    labels,
    fingerprint: hash('sha256', JSON.stringify([server, trusted, unavailable]), 'hex'),
    ...(unavailable === undefined ? {} : { unavailable }),
    connect: () => open({ name: fullName, project, server: new URL(server), ca: trusted }),
  };
}

function whyNot(
  { status, statusMessage, endpoints: has }: GkeCluster,
  wanted: readonly EndpointKind[],
  kind: EndpointKind | undefined,
): string | undefined {
  if (!SERVING.has(status)) return `GKE says ${status}${statusMessage === '' ? '' : `: ${statusMessage}`}`;
  if (kind !== undefined) return undefined;
  const others = (Object.keys(has) as EndpointKind[]).filter((each) => has[each] !== '');
  const instead = others.length === 0 ? 'none at all' : others.join(', ');
  return `it has no ${wanted.join(' or ')} endpoint, but ${instead}; choose with --gke-endpoints`;
}

// The fleet's clusters: the list, one of them, and how its streams stand.
import type { ClusterInfo } from '../model/cluster.ts';
import { formatGroupResource } from '../model/resource.ts';
import { streamKey } from '../model/stream.ts';
import { decide } from '../policy/decide.ts';
import type { VerifiedCaller } from '../ports/caller.ts';
import { profileOf } from './cluster-profile.ts';
import { findCluster, namesOf } from './find-cluster.ts';
import { pageOf } from './paging.ts';
import { Problem } from './problems.ts';
import { type Route, route } from './route.ts';
import * as schemas from './schemas.ts';
import type { Services } from './services.ts';

/** A run writes its row every second or so; one that is silent for this long was killed or hangs. */
const ALIVE_WITHIN_MS = 15_000;

export interface Filters {
  readonly source?: string | undefined;
  readonly project?: string | undefined;
  readonly location?: string | undefined;
  readonly state?: string | undefined;
  readonly label?: readonly string[] | undefined;
}

export const listClusters: Route = route({
  id: 'listClusters',
  summary: 'The clusters that the caller may know of',
  method: 'GET',
  path: '/v1/clusters',
  caller: 'bearer',
  rate: 'lists',
  query: schemas.listQuery,
  gives: ['application/json', 'application/yaml'],
  status: 200,
  answers: schemas.clusterListSchema,
  answerName: 'ClusterList',
  instead: { ClusterProfileList: schemas.profileListSchema },
  problems: ['denied'],
  async handle({ query, caller, request, services }) {
    const inventory = await readFleet(services, caller, query.refresh === 'true', request.signal);
    const clusters = readable(inventory.clusters, query, caller, services);
    const filters = { ...query, limit: undefined, continue: undefined, refresh: undefined };
    const page = pageOf(clusters, keyOf, { limit: query.limit, token: query.continue, filters });
    const asOf = new Date(inventory.at).toISOString();
    const next = page.continue === undefined ? {} : { continue: page.continue };
    if (query.as === 'ClusterProfileList') {
      const { apiVersion } = PROFILE;
      const items = page.items.map((cluster) => profileOf(cluster, asOf));
      const body = { apiVersion, kind: 'ClusterProfileList', metadata: next, items };
      return { body, revalidates: true };
    }
    return { body: { clusters: page.items.map(shown), ...next, asOf }, revalidates: true };
  },
});

const PROFILE = { apiVersion: 'multicluster.x-k8s.io/v1alpha1' } as const;

export const getCluster: Route = route({
  id: 'getCluster',
  summary: 'One cluster, by id or name',
  method: 'GET',
  path: '/v1/clusters/{cluster}',
  caller: 'bearer',
  rate: 'lists',
  params: schemas.clusterParams,
  query: schemas.clusterQuery,
  gives: ['application/json', 'application/yaml'],
  status: 200,
  answers: schemas.clusterSchema,
  answerName: 'Cluster',
  instead: { ClusterProfile: schemas.profileSchema },
  problems: ['denied', 'cluster-not-found', 'ambiguous-cluster'],
  async handle({ params, query, caller, request, services }) {
    const { clusters, at } = await readFleet(services, caller, query.refresh === 'true', request.signal);
    const cluster = findReadable(params.cluster, clusters, caller, services);
    const profile = query.as === 'ClusterProfile';
    return { body: profile ? profileOf(cluster, new Date(at).toISOString()) : shown(cluster), revalidates: true };
  },
});

export const getStreams: Route = route({
  id: 'getStreams',
  summary: 'How the streams of a cluster stand, as `mk8s status` shows it',
  method: 'GET',
  path: '/v1/clusters/{cluster}/streams',
  caller: 'bearer',
  rate: 'lists',
  params: schemas.clusterParams,
  query: schemas.noQuery,
  gives: ['application/json', 'application/yaml'],
  status: 200,
  answers: schemas.streamsSchema,
  answerName: 'Streams',
  problems: ['denied', 'cluster-not-found', 'ambiguous-cluster'],
  async handle({ params, caller, request, services }) {
    const { clusters } = await readFleet(services, caller, false, request.signal);
    const { id } = findReadable(params.cluster, clusters, caller, services);
    const { run, streams } = (await services.status?.read()) ?? { run: undefined, streams: [] };
    const now = services.clock.now();
    const rows = streams
      .filter(({ stream }) => stream.cluster === id)
      .map((stream) => ({
        key: streamKey(stream.stream),
        cluster: stream.stream.cluster,
        resource: formatGroupResource(stream.stream),
        ...stream,
        lagSeconds: stream.currentAt === 0 ? null : Math.max(0, Math.round((now - stream.currentAt) / 1000)),
      }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const alive = run !== undefined && run.running && now - run.updatedAt < ALIVE_WITHIN_MS;
    // Problems of sources name files and identities of the operator's.
    const { problems: _, ...shownRun } = run ?? { problems: [] };
    return { body: { alive, run: run === undefined ? null : shownRun, streams: rows } };
  },
});

/** The fleet, read anew only for those who may. */
async function readFleet(
  { fleet, policy }: Services,
  caller: VerifiedCaller,
  refresh: boolean,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<Services['fleet']['read']>>> {
  if (refresh && !decide(policy, caller, { what: 'refresh' }).allow) {
    throw new Problem('denied', { detail: 'The policy does not let this caller refresh' });
  }
  return await fleet.read({ refresh, signal });
}

/** What the caller may read of it, in the order of names. */
export function readable(
  clusters: readonly ClusterInfo[],
  filters: Filters,
  caller: VerifiedCaller,
  { policy }: Pick<Services, 'policy'>,
): readonly ClusterInfo[] {
  return clusters
    .filter((cluster) => decide(policy, caller, { what: 'clusters', cluster: namesOf(cluster) }).allow)
    .filter((cluster) => passes(cluster, filters))
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** The cluster, where the caller may read it. */
export function findReadable(
  wanted: string,
  clusters: readonly ClusterInfo[],
  caller: VerifiedCaller,
  services: Services,
): ClusterInfo {
  const cluster = findCluster(wanted, clusters, caller, services);
  const decision = decide(services.policy, caller, { what: 'clusters', cluster: namesOf(cluster) });
  if (!decision.allow) throw new Problem('denied', { detail: 'The policy grants tokens there, and not to read this' });
  return cluster;
}

/** Names come first; what has the same name and no id has another server. */
function keyOf({ name, id, server }: ClusterInfo): string {
  return `${name}\n${id ?? ''}\n${server}`;
}

function passes(cluster: ClusterInfo, { source, project, location, state, label = [] }: Filters): boolean {
  const labels = cluster.labels ?? {};
  return (
    (source === undefined || cluster.sources.includes(source)) &&
    (project === undefined || cluster.project === project) &&
    (location === undefined || cluster.location === location) &&
    (state === undefined || cluster.state === state) &&
    label.every((wanted) => {
      const [key = '', ...value] = wanted.split('=');
      return Object.hasOwn(labels, key) && (value.length === 0 || labels[key] === value.join('='));
    })
  );
}

/** Without the certificate and its name, which are in kubeconfigs, and only what the schema says: a store may hold more. */
function shown(cluster: ClusterInfo): Omit<ClusterInfo, 'certificateAuthority' | 'tlsServerName'> {
  const { certificateAuthority: _, tlsServerName: _name, ...rest } = cluster;
  return rest;
}

// A Google Cloud project on loopback, one program at one address: metadata server, STS, IAM credentials, GKE, GKE Hub, and a
// Connect Gateway that forwards to the clusters, which are sandboxes and may also be reached directly.

import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type Answering, apiError, type FakeGoogle, type Forwarding, startFakeGoogle } from './fake-google.ts';
import { type TokenServices, type TrustedCluster, tokenServices, unauthenticated } from './fake-token-services.ts';

const PROJECT = 'fleet-project';
const NUMBER = '123456789012';

/** A server that a cluster really is. */
interface Target {
  readonly url: string;
  readonly token: string;
  readonly ca: string;
}

interface FakeGkeCluster {
  readonly name: string;
  readonly location: string;
  readonly status?: string;
  /** Where its endpoint leads; absent where it has none. */
  readonly target?: Target;
  readonly labels?: Readonly<Record<string, string>>;
}

interface FakeMembership {
  readonly name: string;
  readonly location: string;
  /** Name of the GKE cluster in the same location that it is, if it is one. */
  readonly gke?: string;
  /** Where the gateway leads; absent where no cluster was registered under it. */
  readonly target?: Target;
  readonly state?: string;
}

/** What there is in the project; read at each request, so that it may change. */
export interface FakeFleetOptions {
  readonly clusters: readonly FakeGkeCluster[];
  readonly memberships: readonly FakeMembership[];
  /** Where the metadata server says that the workload runs. Default us-central1. */
  readonly region?: string;
  /** Clusters whose service accounts the project's workload identity pool knows. */
  readonly trusted?: readonly TrustedCluster[];
  /** Service accounts that whoever is authenticated may impersonate. */
  readonly impersonable?: readonly string[];
  /** What an identity, as IAM calls it, may do. Default: everything. */
  readonly allows?: (
    member: string,
    api: 'container' | 'gkehub' | 'cloudresourcemanager' | 'connectgateway',
  ) => boolean;
}

export interface FakeFleet extends AsyncDisposable {
  readonly google: FakeGoogle;
  /** For a process on Google Cloud: everything of Google is here. */
  readonly env: Readonly<Record<string, string>>;
  /** For a process elsewhere: the same without a metadata server. */
  readonly envElsewhere: Readonly<Record<string, string>>;
  readonly project: string;
  /** What fleets call the project. */
  readonly number: string;
  readonly tokens: Pick<TokenServices, 'whoIs' | 'expireAll'>;
  /** Paths that came to Connect Gateway. */
  readonly forwarded: readonly string[];
}

/**
 * `accessToken` is the workload's own; a sandbox that is to be reached directly has to take it, too. The gateway speaks to
 * its clusters with their own tokens. Memberships come one a page.
 */
export async function startFakeFleet(accessToken: string, options: FakeFleetOptions): Promise<FakeFleet> {
  const { region = 'us-central1', trusted = [], impersonable = [], allows = () => true } = options;
  const tokens = tokenServices({ project: PROJECT, number: NUMBER, region, accessToken, trusted, impersonable });
  const whoAsks = ({ headers }: { headers: IncomingMessage['headers'] }): string | undefined =>
    tokens.whoIs((headers.authorization ?? '').replace('Bearer ', ''));
  const forwarded: string[] = [];
  const gateway = connectGateway(options, forwarded, whoAsks, (member) => allows(member, 'connectgateway'));

  const apis: Answering = (request) => {
    const { url } = request;
    const member = whoAsks(request);
    if (member === undefined) return unauthenticated;
    const [, project, what] = /^\/v1\/projects\/([^/]+)(?:\/locations\/-\/(\w+))?$/.exec(url.pathname) ?? [];
    const api = what === 'clusters' ? 'container' : what === 'memberships' ? 'gkehub' : 'cloudresourcemanager';
    if (project !== PROJECT || !allows(member, api)) return denied(`Permission denied on project ${project}.`);
    if (what === 'clusters') return { body: { clusters: options.clusters.map(gkeAnswer), missingZones: [] } };
    if (what === undefined) return { body: { projectNumber: NUMBER, projectId: PROJECT } };
    const { memberships } = options;
    const page = Number(url.searchParams.get('pageToken') ?? 0);
    const next = page + 1 < memberships.length ? { nextPageToken: String(page + 1) } : {};
    return { body: { resources: memberships.slice(page, page + 1).map(hubAnswer), ...next } };
  };
  const google = await startFakeGoogle(() => undefined, {
    forward: gateway,
    otherwise: async (request) => (await tokens.answer(request)) ?? apis(request),
  });
  const names = ['CONTAINER', 'GKEHUB', 'CLOUDRESOURCEMANAGER', 'CONNECTGATEWAY', 'IAMCREDENTIALS', 'STS'];
  const places = Object.fromEntries(names.map((name) => [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${name}`, google.url]));
  return {
    google,
    project: PROJECT,
    number: NUMBER,
    tokens,
    forwarded,
    env: { ...places, GCE_METADATA_HOST: google.host, METADATA_SERVER_DETECTION: 'assume-present' },
    envElsewhere: { ...places, METADATA_SERVER_DETECTION: 'none' },
    [Symbol.asyncDispose]: () => google[Symbol.asyncDispose](),
  };
}

function denied(message: string): ReturnType<Answering> {
  return { status: 403, body: apiError(403, 'PERMISSION_DENIED', message) };
}

/** https://cloud.google.com/kubernetes-engine/enterprise/multicluster-management/gateway */
function connectGateway(
  { memberships }: FakeFleetOptions,
  forwarded: string[],
  whoAsks: (message: IncomingMessage) => string | undefined,
  allows: (member: string) => boolean,
): Forwarding {
  return (incoming, outgoing) => {
    const [, location, name, rest = ''] =
      new RegExp(`^/v1/projects/${NUMBER}/locations/([^/]+)/(?:gkeM|m)emberships/([^/]+)(/.*)$`).exec(
        incoming.url ?? '',
      ) ?? [];
    if (name === undefined) return false;
    forwarded.push(incoming.url ?? '');
    const refuse = (answer: ReturnType<Answering>): true => {
      outgoing.writeHead(answer?.status ?? 500, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify(answer?.body));
      return true;
    };
    const member = whoAsks(incoming);
    if (member === undefined) return refuse(unauthenticated);
    if (!allows(member)) {
      return refuse(denied("Permission 'gkehub.gateway.get' denied on resource (or it may not exist)."));
    }
    const target = memberships.find((each) => each.location === location && each.name === name)?.target;
    if (target === undefined) return refuse({ status: 404, body: apiError(404, 'NOT_FOUND', 'no such membership') });
    const { host: _host, ...headers } = { ...incoming.headers, authorization: `Bearer ${target.token}` };
    const way = { method: incoming.method, headers, ca: target.ca };
    const onward = httpsRequest(new URL(rest, target.url), way, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
    return true;
  };
}

function gkeAnswer({ name, location, status = 'RUNNING', target, labels = {} }: FakeGkeCluster): object {
  return {
    name,
    location,
    status,
    resourceLabels: labels,
    // Every cluster has such a name; it answers users only where that is switched on.
    controlPlaneEndpointsConfig: {
      dnsEndpointConfig: { endpoint: `gke-${name}.${location}.gke.goog`, allowExternalTraffic: false },
    },
    ...(target === undefined
      ? {}
      : {
          endpoint: new URL(target.url).host,
          masterAuth: { clusterCaCertificate: Buffer.from(target.ca).toString('base64') },
        }),
  };
}

function hubAnswer({ name, location, gke, target, state = 'READY' }: FakeMembership): object {
  const link = `//container.googleapis.com/projects/${PROJECT}/locations/${location}/clusters/${gke}`;
  const seen = { kubernetesMetadata: { kubernetesApiServerVersion: 'v1.36.2' } };
  return {
    name: `projects/${PROJECT}/locations/${location}/memberships/${name}`,
    state: { code: state },
    endpoint: target === undefined ? {} : gke === undefined ? seen : { ...seen, gkeCluster: { resourceLink: link } },
  };
}

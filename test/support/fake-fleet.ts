// A Google Cloud project on loopback: its metadata server, its GKE clusters and its fleet, whose clusters are sandboxes, reached
// directly or through a Connect Gateway that forwards.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Answering, apiError, type FakeGoogle, metadataServerAnswers, startFakeGoogle } from './fake-google.ts';

const PROJECT = 'fleet-project';
const NUMBER = '123456789012';

/** A server that a cluster really is. */
interface Target {
  readonly url: string;
  readonly token: string;
  readonly ca: string;
}

export interface FakeGkeCluster {
  readonly name: string;
  readonly location: string;
  readonly status?: string;
  readonly target?: Target;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface FakeMembership {
  readonly name: string;
  readonly location: string;
  /** Name of the GKE cluster in the same location that it is, if it is one. */
  readonly gke?: string;
  readonly target: Target;
  readonly state?: string;
}

export interface FakeFleet extends AsyncDisposable {
  readonly google: FakeGoogle;
  /** For a process: everything of Google is here. */
  readonly env: Readonly<Record<string, string>>;
  readonly project: string;
  /** Paths that came to Connect Gateway. */
  readonly forwarded: readonly string[];
}

/** Everybody's access token is `accessToken`, so the sandboxes have to take it, too. Memberships come one a page. */
export async function startFakeFleet(
  accessToken: string,
  { clusters, memberships }: { clusters: readonly FakeGkeCluster[]; memberships: readonly FakeMembership[] },
): Promise<FakeFleet> {
  const forwarded: string[] = [];
  const gateway = createServer((incoming, outgoing) => {
    const [, location, name, rest = ''] =
      new RegExp(`^/v1/projects/${NUMBER}/locations/([^/]+)/(?:gkeM|m)emberships/([^/]+)(/.*)$`).exec(
        incoming.url ?? '',
      ) ?? [];
    const found = memberships.find((each) => each.location === location && each.name === name);
    forwarded.push(incoming.url ?? '');
    if (found === undefined) {
      outgoing.writeHead(404, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify(apiError(404, 'NOT_FOUND', 'no such membership')));
      return;
    }
    const { url, ca } = found.target;
    const { host: _host, ...headers } = incoming.headers;
    const onward = httpsRequest(new URL(rest, url), { method: incoming.method, headers, ca }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  const metadata = metadataServerAnswers({
    '': 'instance/',
    instance: 'here',
    'instance/service-accounts/default/token': { access_token: accessToken, expires_in: 3600, token_type: 'Bearer' },
    'instance/service-accounts/default/email': `runner@${PROJECT}.iam.gserviceaccount.com`,
    'instance/region': `projects/${NUMBER}/regions/us-central1`,
    'project/project-id': PROJECT,
    'project/numeric-project-id': NUMBER,
  });
  const apis: Answering = ({ url, headers }) => {
    if (headers.authorization !== `Bearer ${accessToken}`) {
      return { status: 401, body: apiError(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.') };
    }
    const [, project, what] = /^\/v1\/projects\/([^/]+)(?:\/locations\/-\/(\w+))?$/.exec(url.pathname) ?? [];
    if (project !== PROJECT) {
      return { status: 403, body: apiError(403, 'PERMISSION_DENIED', `Permission denied on project ${project}.`) };
    }
    if (what === 'clusters') return { body: { clusters: clusters.map(gkeAnswer), missingZones: [] } };
    if (what === undefined) return { body: { projectNumber: NUMBER, projectId: PROJECT } };
    const page = Number(url.searchParams.get('pageToken') ?? 0);
    const next = page + 1 < memberships.length ? { nextPageToken: String(page + 1) } : {};
    return { body: { resources: memberships.slice(page, page + 1).map(hubAnswer), ...next } };
  };
  const google = await startFakeGoogle((request) => metadata(request) ?? apis(request));
  return {
    google,
    project: PROJECT,
    forwarded,
    env: {
      GCE_METADATA_HOST: google.host,
      METADATA_SERVER_DETECTION: 'assume-present',
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER: google.url,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_GKEHUB: google.url,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER: google.url,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CONNECTGATEWAY: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`,
    },
    async [Symbol.asyncDispose]() {
      gateway.closeAllConnections();
      gateway.close();
      await once(gateway, 'close');
      await google[Symbol.asyncDispose]();
    },
  };
}

function gkeAnswer({ name, location, status = 'RUNNING', target, labels = {} }: FakeGkeCluster): object {
  return {
    name,
    location,
    status,
    resourceLabels: labels,
    ...(target === undefined
      ? {}
      : {
          endpoint: new URL(target.url).host,
          masterAuth: { clusterCaCertificate: Buffer.from(target.ca).toString('base64') },
        }),
  };
}

function hubAnswer({ name, location, gke, state = 'READY' }: FakeMembership): object {
  const link = `//container.googleapis.com/projects/${PROJECT}/locations/${location}/clusters/${gke}`;
  return {
    name: `projects/${PROJECT}/locations/${location}/memberships/${name}`,
    state: { code: state },
    endpoint: gke === undefined ? {} : { gkeCluster: { resourceLink: link } },
  };
}

// A child process that plays an API server with one busy collection, empty at first: discovery, a streaming list that is
// complete at once, and a watch that brings the same events to everyone who asks, as fast as they are taken. Plain HTTP
// and TLS. Argument: events of a watch. Tells its parent the ports and whom to trust.
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createAuthority, issueCertificate } from '../lib/sandbox/certificate.ts';
import { COLLECTION, FIRST_VERSION, liveEvents } from './pipeline-events.ts';
import { asKubernetes } from './tls-server.ts';

export interface ServerStarted {
  /** Ports. */
  readonly http: number;
  readonly https: number;
  /** PEM. */
  readonly ca: string;
}

const events = Number(process.argv[2]);
const { group, version, plural } = COLLECTION;
const collection = `/apis/${group}/${version}/${plural}`;
const groupVersion = { groupVersion: `${group}/${version}`, version };
const verbs = ['get', 'list', 'watch'];
const documents: Readonly<Record<string, object>> = {
  '/version': { gitVersion: 'v1.36.2' },
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [] },
  '/api/v1/namespaces/kube-system': { kind: 'Namespace', metadata: { name: 'kube-system', uid: 'bench-pipeline' } },
  '/apis': {
    kind: 'APIGroupList',
    groups: [{ name: group, versions: [groupVersion], preferredVersion: groupVersion }],
  },
  [`/apis/${group}/${version}`]: {
    kind: 'APIResourceList',
    groupVersion: groupVersion.groupVersion,
    resources: [{ name: plural, singularName: '', namespaced: true, kind: 'HTTPRoute', verbs }],
  },
};

const serve: RequestListener = (request, response) => {
  const url = new URL(request.url ?? '/', 'http://bench');
  response.setHeader('content-type', 'application/json');
  const document = documents[url.pathname];
  if (document !== undefined) return void response.end(JSON.stringify(document));
  if (url.pathname === collection && ['true', '1'].includes(url.searchParams.get('watch') ?? '')) {
    return watch(url.searchParams, response);
  }
  response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
};

function watch(query: URLSearchParams, response: ServerResponse): void {
  const syncs = query.get('sendInitialEvents') === 'true';
  // Nobody should come back in the middle: what is measured would not be what was sent.
  if (!syncs && query.get('resourceVersion') !== String(FIRST_VERSION)) return void response.writeHead(500).end();
  const body = Readable.from(bytes(syncs), { highWaterMark: 4 });
  pipeline(body, response, { end: false }).catch(() => {
    // The reader went away: nothing is left to do.
  });
}

function* bytes(syncs: boolean): Generator<Buffer> {
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  const object = { kind: 'HTTPRoute', metadata: { annotations, resourceVersion: String(FIRST_VERSION) } };
  if (syncs) yield Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
  yield* liveEvents(events);
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const authority = createAuthority('bench authority', Date.now());
const { cert, key } = issueCertificate(authority, 'bench', ['127.0.0.1'], Date.now());
const started: ServerStarted = {
  http: await listen(createHttpServer(serve)),
  https: await listen(createHttpsServer({ ...asKubernetes, cert, key }, serve)),
  ca: authority.cert,
};
process.send?.(started);
process.on('disconnect', () => process.exit(0));

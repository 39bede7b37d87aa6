// A child process that plays quiet API servers over TLS: `clusters` of them, each with `resources` collections of a few
// objects that never change, whose watches get a bookmark a minute, as kube-apiserver sends them, spread over the minute.
// Arguments: clusters, resources. Tells its parent the ports and whom to trust.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority, issueCertificate } from '../lib/sandbox/certificate.ts';

export interface IdleServerStarted {
  readonly ports: readonly number[];
  /** PEM. */
  readonly ca: string;
}

/** kube-apiserver's bookmarkFrequency, milliseconds. */
const BOOKMARK_EVERY_MS = 60_000;
const OBJECTS = 5;
const GROUP = 'bench.example.com';
const VERSION = '1000';

const [clusters, resources] = process.argv.slice(2).map(Number) as [number, number];
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const plurals = Array.from({ length: resources }, (_, n) => `things${n}`);
const verbs = ['get', 'list', 'watch'];
const groupOf = (group: string): object => {
  const served = { groupVersion: `${group}/v1`, version: 'v1' };
  return { name: group, versions: [served], preferredVersion: served };
};
const documents: Readonly<Record<string, object>> = {
  '/version': { gitVersion: 'v1.36.2' },
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [] },
  '/apis': { kind: 'APIGroupList', groups: [groupOf('apiextensions.k8s.io'), groupOf(GROUP)] },
  '/apis/apiextensions.k8s.io/v1': {
    kind: 'APIResourceList',
    groupVersion: 'apiextensions.k8s.io/v1',
    resources: [{ name: 'customresourcedefinitions', kind: 'CustomResourceDefinition', namespaced: false, verbs }],
  },
  [`/apis/${GROUP}/v1`]: {
    kind: 'APIResourceList',
    groupVersion: `${GROUP}/v1`,
    resources: plurals.map((name) => ({ name, singularName: '', namespaced: true, kind: kindOf(name), verbs })),
  },
};

function kindOf(plural: string): string {
  return plural.replace(/^things/, 'Thing');
}

function serve(cluster: number, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'https://bench');
  response.setHeader('content-type', 'application/json');
  if (url.pathname === '/api/v1/namespaces/kube-system') {
    return void response.end(JSON.stringify({ metadata: { name: 'kube-system', uid: `bench-idle-${cluster}` } }));
  }
  const document = documents[url.pathname];
  if (document !== undefined) return void response.end(JSON.stringify(document));
  const plural = url.pathname.slice(`/apis/${GROUP}/v1/`.length);
  if (url.pathname !== definitions && !plurals.includes(plural)) {
    return void response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
  }
  const kind = url.pathname === definitions ? 'CustomResourceDefinition' : kindOf(plural);
  const items =
    url.pathname === definitions
      ? plurals.map((name, n) => object('CustomResourceDefinition', `${name}.${GROUP}`, n))
      : Array.from({ length: OBJECTS }, (_, n) => object(kind, `thing-${n}`, n));
  if (!['true', '1'].includes(url.searchParams.get('watch') ?? '')) {
    const list = { apiVersion: `${GROUP}/v1`, kind: `${kind}List`, metadata: { resourceVersion: VERSION }, items };
    return void response.end(JSON.stringify(list));
  }
  response.flushHeaders();
  if (url.searchParams.get('sendInitialEvents') === 'true') {
    for (const item of items) write(response, 'ADDED', item);
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    write(response, 'BOOKMARK', { kind, metadata: { resourceVersion: VERSION, annotations } });
  }
  bookmark(response, kind);
}

function object(kind: string, name: string, n: number): object {
  const group = kind === 'CustomResourceDefinition' ? 'apiextensions.k8s.io' : GROUP;
  return {
    apiVersion: `${group}/v1`,
    kind,
    metadata: { name, namespace: 'default', uid: `${kind}-${n}`, resourceVersion: String(n + 1) },
    spec: { text: 'x'.repeat(2000) },
  };
}

function bookmark(response: ServerResponse, kind: string): void {
  const send = (): void => write(response, 'BOOKMARK', { kind, metadata: { resourceVersion: VERSION } });
  let timer: NodeJS.Timeout = setTimeout(() => {
    send();
    timer = setInterval(send, BOOKMARK_EVERY_MS);
  }, Math.random() * BOOKMARK_EVERY_MS);
  response.on('close', () => clearTimeout(timer));
}

function write(response: ServerResponse, type: string, item: object): void {
  response.write(`${JSON.stringify({ type, object: item })}\n`);
}

const authority = createAuthority('bench authority', Date.now());
const { cert, key } = issueCertificate(authority, 'bench', ['127.0.0.1'], Date.now());
const ports: number[] = [];
for (let cluster = 0; cluster < clusters; cluster++) {
  const server = createServer({ cert, key }, (request, response) => serve(cluster, request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ports.push((server.address() as AddressInfo).port);
}
process.send?.({ ports, ca: authority.cert } satisfies IdleServerStarted);
process.on('disconnect', () => process.exit(0));

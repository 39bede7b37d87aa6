// A child process that plays just enough of an API server to synchronise one large collection from, and to go on with it:
// discovery, pages or the whole list, a streaming list, watches. Objects are made as they are sent. Argument: their number.
// Answers each message with what was sent since the one before.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { blocks, clusterObjects } from './cluster-objects.ts';

/** What the parent asks for; the server's answer is `Traffic`. */
export interface Wish {
  /** Update so many objects, one after the other, now. */
  readonly change?: number;
  /** Change 1 % of all objects, and forget all events. */
  readonly changeOnePercent?: boolean;
  /** Offer streaming lists. Default: as before; at first true. */
  readonly streamingLists?: boolean;
  /** Update one object as soon as a watch is open, from now on. */
  readonly live?: boolean;
}

export interface Traffic {
  /** Bytes sent, headers included. */
  readonly bytes: number;
  readonly requests: readonly string[];
}

const count = Number(process.argv[2]);
const group = 'gateway.networking.k8s.io';
const collection = `/apis/${group}/v1/httproutes`;
const cluster = clusterObjects(count);
const sockets = new Set<Socket>();
let [streamingLists, live] = [true, false];
let requests: string[] = [];
let gone = 0;
let told = 0;

const comma = Buffer.from(',');
const text = (value: string): readonly Buffer[] => [Buffer.from(value)];

function* list(from: number, to: number): Generator<readonly Buffer[]> {
  yield text(`{"apiVersion":"${group}/v1","items":[`);
  let first = true;
  for (const object of cluster.objects(from, to)) {
    yield first ? object : [comma, ...object];
    first = false;
  }
  const more = to < count ? `"continue":"${to}","remainingItemCount":${count - to},` : '"continue":"",';
  yield text(`],"kind":"HTTPRouteList","metadata":{${more}"resourceVersion":"${cluster.version}"}}\n`);
}

function* one(name: string): Generator<readonly Buffer[]> {
  const metadata = `"metadata":{"continue":"","resourceVersion":"${cluster.version}"}`;
  yield text(`{"apiVersion":"${group}/v1","items":[`);
  yield cluster.named(name) ?? [];
  yield text(`],"kind":"HTTPRouteList",${metadata}}\n`);
}

function* initialEvents(): Generator<readonly Buffer[]> {
  const [before, after] = [Buffer.from('{"type":"ADDED","object":'), Buffer.from('}\n')];
  for (const object of cluster.objects(0, count)) yield [before, ...object, after];
  const metadata = `{"annotations":{"k8s.io/initial-events-end":"true"},"resourceVersion":"${cluster.version}"}`;
  yield text(`{"type":"BOOKMARK","object":{"apiVersion":"${group}/v1","kind":"HTTPRoute","metadata":${metadata}}}\n`);
}

function* watchEvents(after: number): Generator<readonly Buffer[]> {
  if (live) cluster.change();
  yield* cluster.events(after);
}

const documents: Record<string, unknown> = {
  '/version': { gitVersion: 'v1.36.2' },
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [] },
  '/api/v1/namespaces/kube-system': { kind: 'Namespace', metadata: { name: 'kube-system', uid: `bench-${count}` } },
  '/apis': {
    kind: 'APIGroupList',
    groups: [
      {
        name: group,
        versions: [{ groupVersion: `${group}/v1`, version: 'v1' }],
        preferredVersion: { groupVersion: `${group}/v1`, version: 'v1' },
      },
    ],
  },
  [`/apis/${group}/v1`]: {
    kind: 'APIResourceList',
    groupVersion: `${group}/v1`,
    resources: [
      { name: 'httproutes', singularName: '', namespaced: true, kind: 'HTTPRoute', verbs: ['get', 'list', 'watch'] },
    ],
  },
};

function refuse(response: ServerResponse, code: number, reason: string): void {
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: reason, reason, code };
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(status));
}

function answer(url: URL, response: ServerResponse): void {
  const { searchParams: query } = url;
  const fields = /^metadata\.name=(.*)$/.exec(query.get('fieldSelector') ?? '')?.[1];
  const send = (all: Iterable<readonly Buffer[]>, end = true): void => {
    response.setHeader('content-type', 'application/json');
    response.flushHeaders();
    pipeline(Readable.from(blocks(all)), response, { end }).catch(() => {
      // The reader went away: nothing is left to do.
    });
  };
  if (fields !== undefined) return send(one(fields));
  if (['true', '1'].includes(query.get('watch') ?? '')) {
    if (query.get('sendInitialEvents') === 'true') {
      return streamingLists ? send(initialEvents(), false) : refuse(response, 422, 'Invalid');
    }
    const after = Number(query.get('resourceVersion'));
    return after < cluster.since ? refuse(response, 410, 'Expired') : send(watchEvents(after), false);
  }
  const from = Number(query.get('continue') ?? 0);
  send(list(from, Math.min(count, from + Number(query.get('limit') ?? count))));
}

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const url = new URL(request.url ?? '/', 'http://bench');
  requests.push(url.pathname + url.search);
  const document = documents[url.pathname];
  if (document !== undefined) {
    return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
  }
  if (url.pathname === collection || url.pathname.endsWith('/namespaces/team-a/httproutes'))
    return answer(url, response);
  response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
});
server.on('connection', (socket) => {
  sockets.add(socket);
  socket.on('close', () => {
    sockets.delete(socket);
    gone += socket.bytesWritten;
  });
});
process.on('message', ({ change = 0, changeOnePercent = false, ...settings }: Wish) => {
  for (let n = 0; n < change; n++) cluster.change();
  if (changeOnePercent) cluster.changeOnePercent();
  ({ streamingLists = streamingLists, live = live } = settings);
  const sent = [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, gone);
  process.send?.({ bytes: sent - told, requests } satisfies Traffic);
  told = sent;
  requests = [];
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.send?.({ port: (server.address() as AddressInfo).port });
process.on('disconnect', () => process.exit(0));

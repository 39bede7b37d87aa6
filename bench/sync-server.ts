// A child process that plays just enough of an API server to synchronise one large collection from: discovery, one page
// or all of it, a streaming list, and a watch that stays open. Objects are made as they are sent. Argument: their number.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { watchBody } from './decode-events.ts';

const count = Number(process.argv[2]);
const group = 'gateway.networking.k8s.io';
const collection = `/apis/${group}/v1/httproutes`;
const version = String(2_000_000);
/** Texts of objects around what differs: name, resourceVersion, uid. */
const templates = Buffer.concat([...watchBody(400)])
  .toString()
  .trim()
  .split('\n')
  .map((line) => {
    const { object } = JSON.parse(line) as { object: { metadata: Record<string, unknown> } };
    Object.assign(object.metadata, { name: '@@', namespace: 'team-a', resourceVersion: '@@', uid: '@@' });
    return JSON.stringify(object).split('@@');
  });

function objectText(index: number): string {
  const [a = '', b = '', c = '', d = ''] = templates[index % templates.length] ?? [];
  const id = index.toString(16).padStart(12, '0');
  return `${a}route-${String(index).padStart(7, '0')}${b}${1_000_000 + index}${c}32aafeef-9aa6-4475-84a4-${id}${d}`;
}

function* listText(from: number, to: number): Generator<string> {
  yield `{"apiVersion":"${group}/v1","items":[`;
  for (let index = from; index < to; index++) yield `${index > from ? ',' : ''}${objectText(index)}`;
  const more = to < count ? `"continue":"${to}","remainingItemCount":${count - to},` : '"continue":"",';
  yield `],"kind":"HTTPRouteList","metadata":{${more}"resourceVersion":"${version}"}}\n`;
}

function* initialEvents(): Generator<string> {
  for (let index = 0; index < count; index++) yield `{"type":"ADDED","object":${objectText(index)}}\n`;
  const metadata = `{"annotations":{"k8s.io/initial-events-end":"true"},"resourceVersion":"${version}"}`;
  yield `{"type":"BOOKMARK","object":{"apiVersion":"${group}/v1","kind":"HTTPRoute","metadata":${metadata}}}\n`;
}

/** Joins texts to blocks of 64 KiB. */
function* blocks(texts: Iterable<string>): Generator<Buffer> {
  let block = '';
  for (const text of texts) {
    block += text;
    if (block.length < 65_536) continue;
    yield Buffer.from(block);
    block = '';
  }
  if (block !== '') yield Buffer.from(block);
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

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const url = new URL(request.url ?? '/', 'http://bench');
  const document = documents[url.pathname];
  response.setHeader('content-type', 'application/json');
  if (document !== undefined) return void response.end(JSON.stringify(document));
  if (url.pathname !== collection)
    return void response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
  const watches = ['true', '1'].includes(url.searchParams.get('watch') ?? '');
  if (watches && url.searchParams.get('sendInitialEvents') !== 'true') return response.flushHeaders();
  const from = Number(url.searchParams.get('continue') ?? 0);
  const to = Math.min(count, from + Number(url.searchParams.get('limit') ?? count));
  const texts = watches ? initialEvents() : listText(from, to);
  pipeline(Readable.from(blocks(texts)), response, { end: !watches }).catch(() => {
    // The reader went away: nothing is left to do.
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.send?.({ port: (server.address() as AddressInfo).port });
process.on('disconnect', () => process.exit(0));

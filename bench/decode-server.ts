// A child process that plays an API server: the same watch and the same list in pages to everyone who asks, over plain
// HTTP and over TLS, as fast as they are taken. Argument: events. Tells its parent the ports and whom to trust, and, when
// it gets a message, how much processor time it has used.
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createAuthority, issueCertificate } from '../lib/sandbox/certificate.ts';
import { listPages, watchBody } from './decode-events.ts';
import type { ServerStarted, ServerUse } from './decode-target.ts';
import { asKubernetes } from './tls-server.ts';

/** The events kept in memory (68 MB); longer bodies repeat them. */
const KEPT_EVENTS = 20_000;

/** The objects of the list that are kept in memory; longer lists repeat their pages. A page has as many as kubectl asks for. */
const KEPT_PAGES = 20;
const PAGE_OBJECTS = 500;

const repeats = Math.max(1, Math.round(Number(process.argv[2]) / KEPT_EVENTS));
const blocks = [...watchBody(KEPT_EVENTS)];
const pages = [...listPages(KEPT_PAGES, PAGE_OBJECTS)];
const allPages = Math.round((repeats * KEPT_EVENTS) / PAGE_OBJECTS);

const serve: RequestListener = (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server');
  response.writeHead(200, { 'content-type': 'application/json' });
  if (pathname === '/list') return void response.end(pages[Number(searchParams.get('page')) % KEPT_PAGES]);
  pipeline(Readable.from(body()), response).catch(() => {}); // The reader went away: nothing is left to do.
};

function* body(): Generator<Buffer> {
  for (let n = 0; n < repeats; n++) yield* blocks;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const http = await listen(createHttpServer(serve));
const authority = createAuthority('bench authority', Date.now());
const { cert, key } = issueCertificate(authority, 'bench', ['127.0.0.1'], Date.now());
const https = await listen(createHttpsServer({ ...asKubernetes, cert, key }, serve));
const started: ServerStarted = {
  http,
  https,
  ca: authority.cert,
  events: repeats * KEPT_EVENTS,
  objects: allPages * PAGE_OBJECTS,
  pages: allPages,
};
process.send?.(started);
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const use: ServerUse = { cpuSeconds: (user + system) / 1e6 };
  process.send?.(use);
});
process.on('disconnect', () => process.exit(0));

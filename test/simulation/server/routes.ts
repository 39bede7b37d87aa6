// One request to one API server process, as it answers where nothing is wrong with the way to it.
import type { ApiRequest } from '../../../lib/ports/api-server.ts';
import { type Answer, errorLine, json, pageNotFound, plain, type Sink, statusAnswer, tooLarge } from './answers.ts';
import type { ApiProcess, Serving } from './api-process.ts';
import { definitionsResource } from './definitions.ts';
import { answerDiscovery } from './discovery.ts';
import { answerList, type ListWorld } from './list.ts';
import { type Selection, selectionOf } from './selectors.ts';
import { nameOf, objectText, type SimResource } from './sim-object.ts';
import { inKeyOrder } from './store.ts';
import { Watch, type WatchWorld } from './watch.ts';

/** What a cluster does with sendInitialEvents. */
export type StreamingLists =
  /** 1.32 and later. */
  | 'served'
  /** The gate is off (recording 55-watchlist-off): 422. */
  | 'off'
  /** 1.20.2: 422, in other words. */
  | 'unknown'
  /** Initial events in no order and without a mark, as an API server that knows no such parameter (KUBERNETES 10). */
  | 'ignored'
  /** Initial events, and never the mark. */
  | 'unmarked';

export interface RouteWorld extends WatchWorld, ListWorld {
  readonly uid: string;
  readonly aggregatedDiscovery: boolean;
  readonly streamingLists: StreamingLists;
  readonly now: () => number;
  readonly isDenied: (name: string) => boolean;
}

/** A request with its path taken apart. */
interface Asked {
  readonly serving: Serving;
  readonly version: string;
  readonly selection: Selection;
  readonly metadataOnly: boolean;
  readonly query: NonNullable<ApiRequest['query']>;
}

/** A watch without timeoutSeconds lasts 30 to 60 minutes (--min-request-timeout). */
const DEFAULT_TIMEOUT_SECONDS = 1800;
/** How long a process waits for a watch cache that is behind (recording watchlist-future-rv). */
const FRESHNESS_MS = 3_000;

export function answer(request: ApiRequest, process: ApiProcess, world: RouteWorld): Answer {
  const { path } = request;
  if (path === '/version') return json(versionText(world.aggregatedDiscovery));
  if (path === '/api/v1/namespaces/kube-system') return json(kubeSystemText(world.uid));
  if (path === '/apis/apiregistration.k8s.io/v1/apiservices') return json(apiServicesText(process));
  if (path.startsWith(`${DEFINITIONS}/`))
    return oneDefinition(decodeURIComponent(path.slice(DEFINITIONS.length + 1)), world);
  const discovery = answerDiscovery(request, process, world.aggregatedDiscovery);
  if (discovery !== undefined) return discovery;
  const asked = takeApart(request, process, world);
  if (asked === undefined) return pageNotFound();
  if (process.failing.has(asked.serving.resource.group)) return serviceUnavailable();
  const { resource } = asked.serving;
  if (world.isDenied(nameOf(resource))) return forbidden(resource);
  return isTrue(asked.query.watch) ? answerWatch(asked, process, world) : answerList(asked, world);
}

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

function takeApart(
  { path, query = {}, headers = {} }: ApiRequest,
  process: ApiProcess,
  world: RouteWorld,
): Asked | undefined {
  const parts = path.split('/').slice(1).map(decodeURIComponent);
  const [group, version, ...rest] = parts[0] === 'api' ? ['', ...parts.slice(1)] : parts.slice(1);
  const namespace = rest.length === 3 && rest[0] === 'namespaces' ? rest[1] : undefined;
  const plural = namespace === undefined ? rest[0] : rest[2];
  if (plural === undefined || group === undefined || version === undefined) return undefined;
  if (namespace === undefined && rest.length !== 1) return undefined;
  const serving = path === DEFINITIONS ? definitionsServing(process, world) : process.served(nameOf({ group, plural }));
  if (serving === undefined || !serving.versions.includes(version)) return undefined;
  if (namespace !== undefined && !serving.resource.namespaced) return undefined;
  const metadataOnly = (headers['accept'] ?? '').includes('as=PartialObjectMetadata');
  return { serving, version, selection: selectionOf(namespace, query), metadataOnly, query };
}

/** CRDs are served by every process that listens; their watch cache is as old as the process. */
function definitionsServing(process: ApiProcess, { store }: RouteWorld): Serving | undefined {
  const table = store.tables.get(nameOf(definitionsResource));
  if (table === undefined) return undefined;
  const { filledAt } = process;
  return { resource: definitionsResource, table, versions: definitionsResource.versions, definition: '', filledAt };
}

function answerWatch(asked: Asked, process: ApiProcess, world: RouteWorld): Answer {
  const { query, serving, version, selection, metadataOnly } = asked;
  if (world.now() < process.startup.watches) {
    // Recording 80-restart/startup/2-429-watch.
    const details = '{"retryAfterSeconds":1}';
    const message = 'storage is (re)initializing';
    return statusAnswer({ code: 429, reason: 'TooManyRequests', message, details }, { 'retry-after': '1' });
  }
  const seconds = Number(query.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS * (1 + world.dice.next()));
  const options = {
    process,
    serving,
    version,
    selection,
    metadataOnly,
    bookmarks: isTrue(query.allowWatchBookmarks),
    timeoutMs: Math.round(seconds * 1000) + world.dice.int(5),
  };
  if (isTrue(query.sendInitialEvents) && query.resourceVersion === undefined) {
    return streamingList(options, process, world);
  }
  const from = Number(query.resourceVersion);
  // Recording 30-error/500-rv-malformed-watch.
  if (!Number.isInteger(from)) return statusAnswer({ code: 500, reason: '', message: 'invalid resource version' });
  const oldest = process.oldest(serving);
  const gone = world.faults.strikes('watch', 'goneEvent') !== undefined;
  if (from < oldest || gone) {
    world.count('stream.tooOld');
    const message = `too old resource version: ${from} (${gone ? from + 1 : oldest})`;
    return streamOf((sink) => {
      sink.send(errorLine({ code: 410, reason: 'Expired', message }));
      sink.end();
    });
  }
  world.count('stream.resumed');
  return streamOf((sink) => {
    const watch = new Watch({ ...options, after: from }, world, sink);
    watch.pump();
    strike(watch, world);
  });
}

/** What ends a watch that was well until then. */
function strike(watch: Watch, { faults, after }: RouteWorld): void {
  const early = faults.strikes('watch', 'endsEarly');
  if (early !== undefined) after(early.int(30_000), () => watch.end());
  const error = faults.strikes('watch', 'errorEvent');
  if (error === undefined) return;
  const [code, reason] = error.pick(errors);
  const text = errorLine({ code, reason, message: 'etcdserver: request timed out' });
  after(error.int(30_000), () => watch.fail(text));
}

const errors = [
  [500, 'InternalError'],
  [500, ''],
  [503, 'ServiceUnavailable'],
  [504, 'Timeout'],
  [429, 'TooManyRequests'],
] as const;

function streamingList(
  options: Omit<ConstructorParameters<typeof Watch>[0], 'after'>,
  process: ApiProcess,
  world: RouteWorld,
): Answer {
  const { store, streamingLists, after, dice, count } = world;
  if (streamingLists === 'off' || streamingLists === 'unknown') {
    count('stream.refused');
    return refusedStreamingList(streamingLists);
  }
  const { serving, selection } = options;
  const { table } = serving;
  function open(sink: Sink, marked: boolean): void {
    const { rv } = store;
    store.noteList(table, rv);
    const objects = inKeyOrder(table.objects).flatMap(([, object]) => (selection.matches(object) ? [object] : []));
    const watch = new Watch({ ...options, bookmarks: options.bookmarks && marked, after: rv }, world, sink);
    watch.sendInitial(objects, marked && options.bookmarks ? rv : undefined);
    strike(watch, world);
  }
  if (streamingLists === 'ignored') {
    count('stream.ignored');
    return streamOf((sink) => {
      const objects = shuffled([...table.objects.values()].filter(selection.matches), (below) => dice.int(below));
      new Watch({ ...options, after: store.rv }, world, sink).sendInitial(objects, undefined);
    });
  }
  const marked = streamingLists === 'served' && world.faults.strikes('watch', 'endMarkMissing') === undefined;
  count(marked ? 'stream.listed' : 'stream.unmarked');
  if (!process.isBehind) return streamOf((sink) => open(sink, marked));
  // It has to be as new as etcd: a cache that is behind is waited for.
  return streamOf((sink) => {
    const { rv } = store;
    after(FRESHNESS_MS, () => {
      if (sink.closed) return;
      if (!process.isBehind) return open(sink, marked);
      sink.send(errorLine(tooLarge(rv, rv - 1)));
      sink.end();
    });
  });
}

function streamOf(body: (sink: Sink) => void): Answer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body };
}

/** Recordings 55-watchlist-off/watchlist-422 and v1.20.2/watchlist-422. */
function refusedStreamingList(by: 'off' | 'unknown'): Answer {
  const [field, why] =
    by === 'off'
      ? ['sendInitialEvents', 'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled']
      : ['resourceVersionMatch', 'resourceVersionMatch is forbidden for watch'];
  const causes = `[{"reason":"FieldValueForbidden","message":"Forbidden: ${why}","field":"${field}"}]`;
  return statusAnswer({
    code: 422,
    reason: 'Invalid',
    message: `ListOptions.meta.k8s.io "" is invalid: ${field}: Forbidden: ${why}`,
    details: `{"group":"meta.k8s.io","kind":"ListOptions","causes":${causes}}`,
  });
}

/** Read from the store: also a process that does not serve the resource yet knows its definition. */
function oneDefinition(name: string, { store }: RouteWorld): Answer {
  const definition = store.tables.get(nameOf(definitionsResource))?.objects.get(`/${name}`);
  if (definition !== undefined) return json(`${objectText(definition, 'v1')}\n`);
  return statusAnswer({
    code: 404,
    reason: 'NotFound',
    message: `customresourcedefinitions.apiextensions.k8s.io "${name}" not found`,
    details: `{"name":"${name}","group":"apiextensions.k8s.io","kind":"customresourcedefinitions"}`,
  });
}

/** A CRD's group is served locally: its APIService names no service. */
function apiServicesText(process: ApiProcess): string {
  const groups = new Map<string, string>();
  for (const { resource, versions } of process.all) {
    const service = resource.origin === 'aggregated' ? ',"service":{"namespace":"kube-system","name":"extension"}' : '';
    for (const version of versions)
      groups.set(`${version}.${resource.group}`, `"group":"${resource.group}","version":"${version}"${service}`);
  }
  const items = [...groups].map(([name, spec]) => `{"metadata":{"name":"${name}"},"spec":{${spec}}}`);
  return `{"kind":"APIServiceList","apiVersion":"apiregistration.k8s.io/v1","metadata":{"resourceVersion":"1"},"items":[${items.join(',')}]}\n`;
}

function serviceUnavailable(): Answer {
  return plain(503, 'service unavailable\n');
}

/** Recording 60-auth/nobody-list-403. */
function forbidden(resource: SimResource): Answer {
  const { group, plural } = resource;
  const message = `${nameOf(resource)} is forbidden: User "bridge" cannot list resource "${plural}" in API group "${group}" at the cluster scope`;
  return statusAnswer({ code: 403, reason: 'Forbidden', message, details: `{"group":"${group}","kind":"${plural}"}` });
}

function kubeSystemText(uid: string): string {
  return `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"kube-system","uid":"${uid}","resourceVersion":"6","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"kubernetes.io/metadata.name":"kube-system"}},"spec":{"finalizers":["kubernetes"]},"status":{"phase":"Active"}}\n`;
}

function versionText(recent: boolean): string {
  const minor = recent ? '36' : '20';
  return `{\n  "major": "1",\n  "minor": "${minor}",\n  "gitVersion": "v1.${minor}.2",\n  "platform": "linux/amd64"\n}`;
}

function shuffled<T>(items: readonly T[], int: (below: number) => number): readonly T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(int(left.length), 1));
}

function isTrue(value: string | number | boolean | undefined): boolean {
  return value === true || value === 'true';
}

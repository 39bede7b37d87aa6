// What a process says that it serves: the aggregated form (two requests, with an ETag) or the older one (KUBERNETES 35).
import { hash } from 'node:crypto';
import type { ApiRequest } from '../../../lib/ports/api-server.ts';
import { type Answer, json, pageNotFound, plain, statusAnswer } from './answers.ts';
import type { ApiProcess } from './api-process.ts';
import { definitionsResource } from './definitions.ts';
import { groupVersion, type SimResource } from './sim-object.ts';

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const VERBS = '["delete","deletecollection","get","list","patch","create","update","watch"]';

/** An aggregated API that nobody watches, and whose server may be down, as metrics.k8s.io often is. */
const metrics: SimResource = {
  group: 'metrics.k8s.io',
  plural: 'pods',
  kind: 'PodMetrics',
  namespaced: true,
  versions: ['v1beta1'],
  origin: 'aggregated',
};

interface Entry {
  readonly resource: SimResource;
  readonly version: string;
}

/** `aggregated`: false for servers before 1.26. Undefined where the path is none of discovery's. */
export function answerDiscovery(
  { path, headers = {} }: ApiRequest,
  process: ApiProcess,
  aggregated: boolean,
): Answer | undefined {
  const [, root, group, version, ...more] = path.split('/');
  if (more.length > 0 || (root !== 'api' && root !== 'apis')) return undefined;
  const core = root === 'api';
  if (group === undefined) {
    const entries = entriesOf(process).filter(({ resource }) => (resource.group === '') === core);
    const accept = headers['accept'] ?? '';
    if (aggregated && accept.includes('as=APIGroupDiscoveryList')) {
      return conditional(aggregatedText(entries, process), AGGREGATED, headers['if-none-match']);
    }
    if (!accept.includes('application/json,') && !accept.endsWith('application/json')) return notAcceptable();
    return json(core ? '{"kind":"APIVersions","versions":["v1"]}\n' : groupListText(entries));
  }
  const wanted = core ? ['', group] : [group, version];
  if (wanted[1] === undefined || (core && version !== undefined)) return undefined;
  if (process.failing.has(String(wanted[0]))) return plain(503, 'service unavailable\n');
  const entries = entriesOf(process).filter(
    (entry) => entry.resource.group === wanted[0] && entry.version === wanted[1],
  );
  return entries.length === 0 ? pageNotFound() : json(resourceListText(entries));
}

function entriesOf(process: ApiProcess): readonly Entry[] {
  const own = [...process.all].flatMap(({ resource, versions }) => versions.map((version) => ({ resource, version })));
  return [{ resource: definitionsResource, version: 'v1' }, { resource: metrics, version: 'v1beta1' }, ...own];
}

/** Group → version → resources, in the order of preference. */
function grouped(entries: readonly Entry[]): ReadonlyMap<string, ReadonlyMap<string, readonly Entry[]>> {
  const groups = new Map<string, Map<string, Entry[]>>();
  for (const entry of entries) {
    const group = groups.get(entry.resource.group) ?? new Map<string, Entry[]>();
    groups.set(entry.resource.group, group);
    group.set(entry.version, [...(group.get(entry.version) ?? []), entry]);
  }
  return groups;
}

/** Recording 10-discovery/apis-aggregated. */
function aggregatedText(entries: readonly Entry[], process: ApiProcess): string {
  const items = [...grouped(entries)].map(([group, versions]) => {
    const down = process.failing.has(group);
    const listed = [...versions].map(([version, resources]) => {
      const texts = down ? [] : resources.map(({ resource }) => aggregatedResource(resource, version));
      return `{"version":"${version}","resources":[${texts.join(',')}],"freshness":"${down ? 'Stale' : 'Current'}"}`;
    });
    return `{"metadata":{${group === '' ? '' : `"name":"${group}"`}},"versions":[${listed.join(',')}]}`;
  });
  return `{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[${items.join(',')}]}\n`;
}

function aggregatedResource({ group, plural, kind, namespaced }: SimResource, version: string): string {
  const kindOf = `"responseKind":{"group":"${group}","version":"${version}","kind":"${kind}"}`;
  const status = `"subresources":[{"subresource":"status",${kindOf},"verbs":["get","patch","update"]}]`;
  return `{"resource":"${plural}",${kindOf},"scope":"${namespaced ? 'Namespaced' : 'Cluster'}","singularResource":"${kind.toLowerCase()}","verbs":${VERBS},${status}}`;
}

function conditional(text: string, type: string, known: string | undefined): Answer {
  const etag = `"${hash('md5', text, 'hex').toUpperCase()}"`;
  if (known === etag) return { status: 304, headers: { etag, vary: 'Accept' }, body: [] };
  return json(text, { 'content-type': type, etag, vary: 'Accept' });
}

/** Recording v1.20.2/apis-legacy. */
function groupListText(entries: readonly Entry[]): string {
  const groups = [...grouped(entries)].map(([group, versions]) => {
    const listed = [...versions.keys()].map(
      (version) => `{"groupVersion":"${groupVersion({ group, plural: '' }, version)}","version":"${version}"}`,
    );
    return `{"name":"${group}","versions":[${listed.join(',')}],"preferredVersion":${listed[0]}}`;
  });
  return `{"kind":"APIGroupList","apiVersion":"v1","groups":[${groups.join(',')}]}\n`;
}

/** Recording v1.20.2/apis-example-v1. */
function resourceListText(entries: readonly Entry[]): string {
  const [first] = entries;
  const items = entries.flatMap(({ resource: { plural, kind, namespaced } }) => [
    `{"name":"${plural}","singularName":"${kind.toLowerCase()}","namespaced":${namespaced},"kind":"${kind}","verbs":${VERBS}}`,
    `{"name":"${plural}/status","singularName":"","namespaced":${namespaced},"kind":"${kind}","verbs":["get","patch","update"]}`,
  ]);
  const of = first === undefined ? '' : groupVersion(first.resource, first.version);
  return `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"${of}","resources":[${items.join(',')}]}\n`;
}

/** Recording v1.20.2/apis-aggregated-only-406. */
function notAcceptable(): Answer {
  const message =
    'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf';
  return statusAnswer({ code: 406, reason: 'NotAcceptable', message });
}

// Requests on resources: from what the URL asks for to the answer, or to a stream.
import type { Cluster } from './cluster.ts';
import { createObject } from './create.ts';
import { deleteAll, deleteObject } from './delete.ts';
import type { Faults } from './faults.ts';
import type { Json } from './json.ts';
import { listPage } from './list.ts';
import { listOptions, type WatchOptions, watchOptions } from './list-options.ts';
import type { ObjectVersion } from './object.ts';
import { applyObject, patchObject, patchType } from './patch-object.ts';
import type { Served } from './registry.ts';
import { type Answer, json, warningHeader } from './reply.ts';
import { parseConfig, parseJson } from './request-body.ts';
import type { RequestInfo } from './request-info.ts';
import { type Matcher, matcher } from './selectors.ts';
import { badRequest, failure, notFound, pathNotFound, tooLargeRevision } from './status.ts';
import { existing, replaceObject } from './update.ts';
import { type Form, negotiate, View } from './view.ts';
import { type Target, type Written, writeOptions } from './write-options.ts';
import { writeYaml } from './yaml.ts';

export interface ResourceRequest {
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  readonly accept: string | undefined;
  readonly contentType: string;
  readonly userAgent: string;
  readonly body: string;
}

/** What to stream: everything that `watchLines` needs besides the server's settings. */
export interface WatchAnswer {
  readonly watch: WatchOptions;
  readonly collection: ReturnType<Cluster['collection']>;
  readonly matches: Matcher;
  readonly view: View;
  readonly headers: Readonly<Record<string, string>>;
}

/** Serves the request. Throws ApiError. `waitFuture` is how long a resourceVersion of the future is waited for, in ms. */
export async function serveResource(
  cluster: Cluster,
  faults: Faults,
  request: ResourceRequest,
  waitFuture: number,
): Promise<Answer | WatchAnswer> {
  const { info, query } = request;
  const served = cluster.registry.find(info.group, info.version, info.plural);
  if (served === undefined) throw unknownResource(info);
  checkPath(served, info);
  const form = negotiate(request.accept);
  const view = new View(served, form, query.get('includeObject'), () => cluster.now());
  const deprecation = warningHeader(served.version.deprecation === undefined ? [] : [served.version.deprecation]);
  const namespace = served.resource.namespaced ? info.namespace : '';
  if (info.verb === 'watch') {
    const watch = watchOptions(query, faults.watchList);
    if (cluster.now() < faults.initializingUntil) throw initializing();
    const matches = matcher(namespace, watch.labelSelector, watch.fieldSelector, served.version);
    return { watch, collection: cluster.collection(served.resource), matches, view, headers: deprecation };
  }
  if (info.verb === 'list') {
    const options = listOptions(query);
    await reach(cluster, options.revision, waitFuture);
    const { items, meta } = listPage(cluster, served, namespace, options);
    return shown(200, view.list(items, meta), form, deprecation);
  }
  const target: Target = {
    ...served,
    namespace,
    name: info.name,
    subresource: info.subresource === 'status' ? 'status' : '',
  };
  if (info.verb === 'get') {
    await reach(cluster, revisionOf(query), waitFuture);
    return shown(200, [view.object(existing(cluster, target))], form, deprecation);
  }
  if (info.verb === 'delete' || info.verb === 'deletecollection') return remove(cluster, target, request, view, form);
  const { code, object, warnings } = write(cluster, target, request);
  const own = served.version.deprecation === undefined ? [] : [served.version.deprecation];
  return shown(code, [view.object(object)], form, warningHeader([...own, ...warnings]));
}

function write(
  cluster: Cluster,
  target: Target,
  { info, query, userAgent, body, contentType }: ResourceRequest,
): Written {
  const { kind, custom } = target.resource;
  switch (info.verb) {
    case 'create':
      return createObject(cluster, target, parseJson(body, kind), writeOptions(query, userAgent, 'CreateOptions'));
    case 'update': {
      if (info.name === '') throw badRequest('name must be provided');
      return replaceObject(cluster, target, parseJson(body, kind), writeOptions(query, userAgent, 'UpdateOptions'));
    }
    case 'patch': {
      const type = patchType(contentType, custom);
      const options = writeOptions(query, userAgent, 'PatchOptions');
      if (type === 'apply') return applyObject(cluster, target, parseConfig(body), options, query.get('fieldManager'));
      return patchObject(cluster, target, type, parseJson(body, kind), options);
    }
    default:
      throw pathNotFound();
  }
}

function remove(cluster: Cluster, target: Target, request: ResourceRequest, view: View, form: Form): Answer {
  const { info, query, userAgent, body } = request;
  const { dryRun } = writeOptions(query, userAgent, 'DeleteOptions');
  if (info.verb === 'delete') {
    const deleted = deleteObject(cluster, target, parseJson(body, 'DeleteOptions'), dryRun);
    return 'status' in deleted ? json(200, deleted.status) : shown(200, [view.object(deleted.object)], form, {});
  }
  if (target.resource.plural === 'namespaces') {
    const message = 'the server does not allow this method on the requested resource';
    throw failure(405, 'MethodNotAllowed', message, {});
  }
  const { items, meta } = listPage(cluster, target, target.namespace, { ...listOptions(query), limit: 0 });
  const before: readonly ObjectVersion[] = items;
  deleteAll(cluster, target, before, dryRun);
  return shown(200, view.list(before, meta), form, {});
}

function shown(
  code: number,
  body: readonly string[],
  { media }: Form,
  headers: Readonly<Record<string, string>>,
): Answer {
  if (media === 'json') return { code, body, headers };
  return { code, type: 'application/yaml', body: [writeYaml(JSON.parse(body.join('')) as Json)], headers };
}

/** The paths under a resource that are not served although the resource is. */
function checkPath({ resource, version }: Served, { namespace, name, subresource, verb }: RequestInfo): void {
  const namespaced = namespace !== '' && resource.plural !== 'namespaces';
  if (namespaced && !resource.namespaced) throw pathNotFound();
  if (resource.namespaced && namespace === '' && (name !== '' || verb === 'create')) throw pathNotFound();
  if (subresource === '') return;
  if (subresource !== 'status' || !version.statusSubresource) throw notFound(resource, name);
}

/** Groups whose unknown resources are answered with a Status; elsewhere nobody knows the path. */
const builtinGroups = new Set(['', 'apps', 'apiextensions.k8s.io', 'authentication.k8s.io', 'authorization.k8s.io']);

function unknownResource({ group }: RequestInfo): Error {
  if (!builtinGroups.has(group)) return pathNotFound();
  return failure(404, 'NotFound', 'the server could not find the requested resource', {});
}

function initializing(): Error {
  const message = 'storage is (re)initializing';
  return failure(429, 'TooManyRequests', message, { retryAfterSeconds: 1 }, { 'Retry-After': '1' });
}

function revisionOf(query: URLSearchParams): number | undefined {
  const text = query.get('resourceVersion') ?? '';
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Waits for a resourceVersion of the future. Throws 504 where it does not come. */
async function reach(cluster: Cluster, revision: number | undefined, timeout: number): Promise<void> {
  const deadline = cluster.now() + timeout;
  if (revision === undefined) return;
  while (cluster.store.revision < revision) {
    if (cluster.now() >= deadline) throw tooLargeRevision(revision, cluster.store.revision);
    await new Promise((resolve) => setTimeout(resolve, Math.min(20, timeout)));
  }
}

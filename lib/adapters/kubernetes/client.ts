// A client for one cluster, without a cache: what it answers is what the server says now.

import { Mk8sError } from '../../model/errors.ts';
import { collectionPath, formatGroupResource } from '../../model/resource.ts';
import type { ScannedObject } from '../../model/revision.ts';
import type { ApiRequest, ApiResponse, ApiServer } from '../../ports/api-server.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import { acceptHeader, type ListEnd } from './client-list.ts';
import { asObject, type KubernetesObject } from './client-object.ts';
import type {
  ApplyOptions,
  CallOptions,
  CollectionOptions,
  Deleted,
  DeleteOptions,
  GetOptions,
  ListOptions,
  NamespaceOptions,
  PatchOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client-options.ts';
import { parseResourceName, ResourceCatalog, type ResourceName, type ServedResource } from './client-resource.ts';
import { listCollection } from './client-streaming-list.ts';
import { watchCollection } from './client-watch.ts';
import {
  applyRequest,
  createRequest,
  deleteRequest,
  parseDeleted,
  patchRequest,
  replaceRequest,
} from './client-write.ts';
import { type Discovery, discoverResources } from './discovery.ts';
import { exchange, sendJson, type Target } from './rest.ts';
import { requestToken, type ServiceAccountToken, type TokenOptions } from './token-request.ts';

export interface ClientSettings {
  readonly api: ApiServer;
  /** The cluster's name, for messages. */
  readonly name: string;
  /** For namespaced objects where a call names no namespace. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Resources are named `httproutes.gateway.networking.k8s.io`, with a version `httproutes.v1.gateway.networking.k8s.io`,
 * core ones `configmaps`; without a version the server's preferred one is used, which is asked once and remembered.
 * Objects are typed by the caller and handed on unchecked beyond kind and metadata.
 *
 * All methods throw Mk8sError (its `code`, `status`, `reason`, `retryable` and `retryAfterMs` tell what happened) and
 * reject with the signal's reason on an abort. A 401 is answered with a fresh credential once; nothing else is retried.
 */
export class Client {
  readonly #target: Target;
  readonly #settings: ClientSettings;
  readonly #catalog: ResourceCatalog;
  readonly #support = { streaming: true };

  constructor(settings: ClientSettings) {
    this.#settings = settings;
    this.#target = { api: settings.api, name: settings.name };
    this.#catalog = new ResourceCatalog(this.#target);
  }

  /** Reads one object. Throws 404 with reason `NotFound` where it is not there. */
  async get<T extends KubernetesObject = KubernetesObject>(
    resource: ResourceName,
    name: string,
    options: GetOptions = {},
  ): Promise<T> {
    const attempt = attemptOn('get', resource, name, options.namespace);
    return this.#on(resource, attempt, options, async (served) => {
      const headers = acceptHeader(options.metadataOnly, 'object');
      const request = { path: this.#objectPath(served, name, options, attempt), headers, ...signalOf(options) };
      return asObject(this.#target, attempt, await sendJson(this.#target, request, attempt)) as T;
    });
  }

  /**
   * Lists objects, one at a time: `for await (const route of cluster.list('httproutes.gateway.networking.k8s.io'))`.
   * At most a batch of bytes from the socket (1 MiB) is in memory. Objects come without `metadata.managedFields`.
   *
   * The list is consistent: the newest state when it began (a streaming list where the server has it, else pages of 500
   * of one snapshot). The generator's return value says where it stood, to watch from; see `ListEnd` for when it isn't consistent.
   */
  async *list<T extends KubernetesObject = KubernetesObject>(
    resource: ResourceName,
    options: ListOptions = {},
  ): AsyncGenerator<T, ListEnd, undefined> {
    const attempt = attemptOn('list', resource, undefined, options.namespace);
    const served = await this.#catalog.resolve(resource, attempt, options.signal);
    const { clock } = this.#settings;
    const batches = listCollection(this.#target, {
      ...this.#collection(served, options, attempt),
      ...(options.pageSize === undefined ? {} : { pageSize: options.pageSize }),
      ...(options.onExpired === undefined ? {} : { onExpired: options.onExpired }),
      clock,
      support: options.streaming === false ? { streaming: false } : this.#support,
    });
    try {
      for (let batch = await batches.next(); ; batch = await batches.next()) {
        if (batch.done === true) return batch.value;
        for (const object of batch.value) yield parseObject(object) as T;
      }
    } catch (error) {
      throw this.#noticed(error, served);
    } finally {
      await batches.return({ resourceVersion: '', consistent: false });
    }
  }

  /**
   * Watches objects: first each existing one as ADDED (unless `resourceVersion` says where to start), then every
   * change, until the loop is left or the signal aborts. Connections that end or break are resumed where they stood.
   *
   * Throws 410 where changes were lost (see `onGap`), 404 where the resource is gone, and whatever else a reconnect meets.
   * A `resourceVersion` that the server has not reached yet (of another cluster, or before a restore) is silent for ever.
   */
  async *watch<T extends KubernetesObject = KubernetesObject>(
    resource: ResourceName,
    options: WatchOptions = {},
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const attempt = attemptOn('watch', resource, undefined, options.namespace);
    const served = await this.#catalog.resolve(resource, attempt, options.signal);
    const { clock, random } = this.#settings;
    const events = watchCollection(this.#target, {
      ...this.#collection(served, options, attempt),
      ...(options.resourceVersion === undefined ? {} : { resourceVersion: options.resourceVersion }),
      onGap: options.onGap ?? 'throw',
      clock,
      random,
      support: this.#support,
    });
    try {
      for await (const event of events) {
        if (event.type === 'RELIST') yield event;
        else if (event.type !== 'BOOKMARK') yield { ...event, object: parseObject(event.object) as T };
        else if (options.bookmarks === true || (options.onGap === 'relist' && event.initialEventsEnd)) yield event;
      }
    } catch (error) {
      throw this.#noticed(error, served);
    }
  }

  /**
   * Server-side apply: makes the object's fields so, creating it where needed; fields that are no longer given are removed.
   * Throws 409 with reason `Conflict` where another manager owns a field (see `force`).
   */
  async apply<T extends KubernetesObject = KubernetesObject>(object: T, options: ApplyOptions = {}): Promise<T> {
    return this.#write('apply', object, options, (path) => applyRequest(path, object, options));
  }

  /** Creates an object. Throws 409 with reason `AlreadyExists`. */
  async create<T extends KubernetesObject = KubernetesObject>(object: T, options: WriteOptions = {}): Promise<T> {
    return this.#write('create', object, options, (_, collection) => createRequest(collection, object, options));
  }

  /** Replaces an object as a whole. Throws 409 with reason `Conflict` where its resourceVersion is not the newest. */
  async replace<T extends KubernetesObject = KubernetesObject>(object: T, options: WriteOptions = {}): Promise<T> {
    return this.#write('replace', object, options, (path) => replaceRequest(path, object, options));
  }

  /** Patches an object: a merge patch, or an array of JSON patch operations. */
  async patch<T extends KubernetesObject = KubernetesObject>(
    resource: ResourceName,
    name: string,
    patch: unknown,
    options: PatchOptions = {},
  ): Promise<T> {
    const attempt = attemptOn('patch', resource, name, options.namespace);
    return this.#on(resource, attempt, options, async (served) => {
      const request = patchRequest(this.#objectPath(served, name, options, attempt), patch, options);
      return asObject(this.#target, attempt, await sendJson(this.#target, request, attempt)) as T;
    });
  }

  /** Deletes an object. Throws 404 with reason `NotFound` where it is not there, 409 where a precondition does not hold. */
  async delete<T extends KubernetesObject = KubernetesObject>(
    resource: ResourceName,
    name: string,
    options: DeleteOptions = {},
  ): Promise<Deleted<T>> {
    const attempt = attemptOn('delete', resource, name, options.namespace);
    return this.#on(resource, attempt, options, async (served) => {
      const request = deleteRequest(this.#objectPath(served, name, options, attempt), options);
      return parseDeleted<T>(await sendJson(this.#target, request, attempt));
    });
  }

  /**
   * Sends any request over the cluster's connections, with its credentials. Every HTTP status is an answer; read the
   * body to its end, or leave its loop, so that the connection is free again.
   */
  async request(request: ApiRequest): Promise<ApiResponse> {
    return exchange(this.#target, request, `${request.method ?? 'GET'} ${request.path}`);
  }

  /** All resources that the cluster serves, each in its preferred version. */
  async discover(options: CallOptions & { readonly etag?: string } = {}): Promise<Discovery> {
    return discoverResources(this.#settings.api, { ...options, name: this.#settings.name });
  }

  /** A short-lived token of a service account (TokenRequest). */
  async createToken(
    namespace: string,
    serviceAccount: string,
    options: TokenOptions = {},
  ): Promise<ServiceAccountToken> {
    return requestToken(this.#target, namespace, serviceAccount, options);
  }

  async #write<T extends KubernetesObject>(
    verb: string,
    object: T,
    options: NamespaceOptions,
    requestFor: (path: string, collection: string) => ApiRequest,
  ): Promise<T> {
    const { apiVersion = '', kind = '', metadata } = object;
    const name = metadata?.name ?? '';
    const namespace = metadata?.namespace ?? options.namespace;
    const attempt = `${verb} ${kind || 'an object'} "${[namespace, name].filter(Boolean).join('/') || (metadata?.generateName ?? '')}"`;
    if (apiVersion === '' || kind === '' || (name === '' && (verb !== 'create' || !metadata?.generateName))) {
      throw this.#refusal(attempt, 'apiVersion, kind and metadata.name are needed');
    }
    const served = await this.#catalog.resolveKind(apiVersion, kind, attempt, options.signal);
    const collection = collectionPath(served, served.namespaced ? namespace || this.#settings.namespace : undefined);
    const request = requestFor(`${collection}/${encodeURIComponent(name)}`, collection);
    try {
      return asObject(this.#target, attempt, await sendJson(this.#target, request, attempt)) as T;
    } catch (error) {
      throw this.#noticed(error, served);
    }
  }

  async #on<R>(
    resource: ResourceName,
    attempt: string,
    options: CallOptions,
    work: (served: ServedResource) => Promise<R>,
  ): Promise<R> {
    const served = await this.#catalog.resolve(resource, attempt, options.signal);
    try {
      return await work(served);
    } catch (error) {
      throw this.#noticed(error, served);
    }
  }

  /** A 404 that is not about an object says that the version is not served (any more): the next call asks again which is. */
  #noticed(error: unknown, served: ServedResource): unknown {
    if (error instanceof Mk8sError && error.status === 404 && error.reason === '') this.#catalog.forget(served.group);
    return error;
  }

  #objectPath(served: ServedResource, name: string, { namespace }: NamespaceOptions, attempt: string): string {
    const scope = served.namespaced ? namespace || this.#settings.namespace : undefined;
    // With such a name the path would be the collection's, and a delete would be of everything.
    if (['', '.', '..'].some((part) => part === name || part === scope))
      throw this.#refusal(attempt, 'a name is needed');
    return `${collectionPath(served, scope)}/${encodeURIComponent(name)}`;
  }

  #collection(served: ServedResource, options: CollectionOptions, attempt: string) {
    const { namespace, labelSelector, fieldSelector, metadataOnly, signal } = options;
    return {
      path: collectionPath(served, served.namespaced ? namespace : undefined),
      attempt,
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      ...(metadataOnly === undefined ? {} : { metadataOnly }),
      ...(signal === undefined ? {} : { signal }),
    };
  }

  #refusal(attempt: string, why: string): Mk8sError {
    return new Mk8sError(`Cannot ${attempt} in cluster "${this.#settings.name}": ${why}`, { code: 'config' });
  }
}

function attemptOn(verb: string, resource: ResourceName, name: string | undefined, namespace?: string): string {
  const what = `${verb} ${formatGroupResource(parseResourceName(resource))}`;
  if (name !== undefined) return `${what} "${namespace === undefined ? name : `${namespace}/${name}`}"`;
  return namespace === undefined ? what : `${what} in namespace "${namespace}"`;
}

function parseObject({ object }: ScannedObject): KubernetesObject {
  const bytes = Buffer.from(object.buffer, object.byteOffset, object.byteLength);
  return JSON.parse(bytes.toString('utf8')) as KubernetesObject;
}

function signalOf({ signal }: CallOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

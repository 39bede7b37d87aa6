// The requests of a watch, as Kubernetes wants them asked.

import type { ResourceVersion } from '../model/resource-version.ts';
import type { Selector } from '../model/stream.ts';
import type { ApiRequest } from '../ports/api-server.ts';

/** Objects asked for per page, as client-go does: at 3 KB each, 1.5 MB. */
export const PAGE_LIMIT = 500;

type Question = Pick<ApiRequest, 'path' | 'query' | 'headers'>;

export interface Collection {
  /** `/apis/GROUP/VERSION/[namespaces/NS/]PLURAL` in the version that is served now. */
  readonly path: string;
  readonly selector: Selector;
  /** Ask for PartialObjectMetadata: about a tenth of the bytes. */
  readonly metadataOnly?: boolean;
}

const metadata = (kind: 'PartialObjectMetadata' | 'PartialObjectMetadataList'): string =>
  `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`;

function watchHeaders({ metadataOnly }: Collection): { headers?: Record<string, string> } {
  return metadataOnly === true ? { headers: { accept: metadata('PartialObjectMetadata') } } : {};
}

function selection({ selector }: Collection): Record<string, string | undefined> {
  return { labelSelector: selector.labelSelector, fieldSelector: selector.fieldSelector };
}

/**
 * A streaming list that goes on as a watch. resourceVersionMatch is always sent, so that servers which do not know
 * sendInitialEvents refuse it (422) instead of ignoring it.
 */
export function streamingListRequest(collection: Collection, timeoutSeconds: number): Question {
  const query = {
    ...selection(collection),
    watch: true,
    sendInitialEvents: true,
    resourceVersionMatch: 'NotOlderThan',
    allowWatchBookmarks: true,
    timeoutSeconds,
  };
  return { path: collection.path, query, ...watchHeaders(collection) };
}

export function watchRequest(collection: Collection, from: ResourceVersion, timeoutSeconds: number): Question {
  const query = {
    ...selection(collection),
    watch: true,
    resourceVersion: from,
    allowWatchBookmarks: true,
    timeoutSeconds,
  };
  return { path: collection.path, query, ...watchHeaders(collection) };
}

/** One page. Without resourceVersion a list is consistent: as new as anything that any client was told. */
export function pageRequest(collection: Collection, continueToken: string, limit = PAGE_LIMIT): Question {
  const query = {
    ...selection(collection),
    limit,
    continue: continueToken === '' ? undefined : continueToken,
  };
  const accept = collection.metadataOnly === true ? { accept: metadata('PartialObjectMetadataList') } : undefined;
  return { path: collection.path, query, headers: { 'accept-encoding': 'gzip', ...accept } };
}

/** The cheapest consistent read: a resourceVersion and at most one object, or its metadata. */
export function presentRequest(
  path: string,
  query: Record<string, string | undefined>,
  metadataOnly: boolean,
): Question {
  const headers = metadataOnly ? { headers: { accept: metadata('PartialObjectMetadataList') } } : {};
  return { path, query: { ...query, limit: 1 }, ...headers };
}

/** How much of the answer may be read ahead, where there is a budget. */
export function ahead(readAheadBytes: (() => number) | undefined): Pick<ApiRequest, 'readAheadBytes'> {
  return readAheadBytes === undefined ? {} : { readAheadBytes: readAheadBytes() };
}

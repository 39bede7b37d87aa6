// GET of a collection: a page of a snapshot.
import type { Cluster } from './cluster.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
import type { ListOptions } from './list-options.ts';
import { compareKeys, type ObjectVersion } from './object.ts';
import type { Served } from './registry.ts';
import { resourceId } from './resource.ts';
import { matcher } from './selectors.ts';
import { ApiError, expired, statusBody } from './status.ts';
import type { ListMeta } from './view.ts';

export interface Page {
  readonly items: readonly ObjectVersion[];
  readonly meta: ListMeta;
}

/**
 * One page. All pages of a list come from the snapshot that its first page was taken from; when that is compacted away
 * the answer is 410 with a token that goes on in the present. The future is waited for elsewhere.
 */
export function listPage(cluster: Cluster, served: Served, namespace: string, options: ListOptions): Page {
  const { revision, objects, after } = source(cluster, served, namespace, options);
  const matches = matcher(namespace, options.labelSelector, options.fieldSelector, served.version);
  const rest = objects.filter((object) => (after === '' || compareKeys(object.key, after) > 0) && matches(object));
  // A list at "any" resourceVersion is served from the watch cache, which does not page.
  const limit = options.revision === 0 && options.match !== 'Exact' ? 0 : options.limit;
  const items = limit > 0 ? rest.slice(0, limit) : rest;
  const last = items.at(-1);
  const remaining = rest.length - items.length;
  const selected = options.labelSelector !== '' || options.fieldSelector !== '';
  return {
    items,
    meta: {
      resourceVersion: String(revision),
      continue:
        remaining === 0 || last === undefined
          ? undefined
          : encodeContinue({ revision, after: namespace === '' ? last.key : last.name }),
      remainingItemCount: remaining === 0 || selected ? undefined : remaining,
    },
  };
}

interface Source {
  readonly revision: number;
  readonly objects: readonly ObjectVersion[];
  /** Key of the last object of the page before, '' for the first page. */
  readonly after: string;
}

function source(cluster: Cluster, { resource }: Served, namespace: string, options: ListOptions): Source {
  const collection = cluster.store.collection(resourceId(resource), resource.custom);
  const present = cluster.store.revision;
  if (options.continue !== '') {
    const token = decodeContinue(options.continue);
    const after = namespace === '' ? token.after : `${namespace}/${token.after}`;
    if (token.revision === -1) return { revision: present, objects: collection.current(), after };
    const objects = collection.at(token.revision);
    if (objects === undefined) throw continueExpired(token.after);
    return { revision: token.revision, objects, after };
  }
  const { revision, match, limit } = options;
  const exact = match === 'Exact' || (match === '' && revision !== undefined && revision > 0 && limit > 0);
  if (!exact || revision === undefined) return { revision: present, objects: collection.current(), after: '' };
  const objects = collection.at(revision);
  if (objects === undefined) throw expired('The resourceVersion for the provided list is too old.');
  return { revision, objects, after: '' };
}

function continueExpired(after: string): ApiError {
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';
  const metadata = { continue: encodeContinue({ revision: -1, after }) };
  return new ApiError(410, statusBody(410, 'Expired', message, undefined, metadata), message);
}

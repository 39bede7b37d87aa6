// Listing a collection without holding it: page by page, each object on its own as it is found in the bytes.
import { decodeList } from '../../decode/list-stream.ts';
import { parseStatus } from '../../decode/status.ts';
import type { ScannedObject } from '../../model/revision.ts';
import type { ApiRequest } from '../../ports/api-server.ts';
import { exchange, explain, readText, send, statusError, type Target } from './rest.ts';

/** What kubectl and client-go ask for; a page of 500 objects of 2 KB is a megabyte. */
const defaultPageSize = 500;

/** What to read: a collection, whole or by selector. */
export interface Collection {
  /** Of the collection, e.g. `/apis/example.com/v1/namespaces/team-a/widgets`. */
  readonly path: string;
  /** What is attempted, for messages: `list widgets.example.com`. */
  readonly attempt: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** PartialObjectMetadata instead of whole objects. */
  readonly metadataOnly?: boolean;
  readonly signal?: AbortSignal;
}

export interface PageOptions extends Collection {
  readonly pageSize?: number;
  /** When the server forgot the snapshot between two pages: see `ListEnd.consistent`. Default `continue`. */
  readonly onExpired?: 'continue' | 'throw';
}

/** What a list amounts to, known at its end: the return value of the generator. */
export interface ListEnd {
  /**
   * That of the first page. Watching from here misses nothing; after an inconsistent list it repeats some of what was listed.
   */
  readonly resourceVersion: string;
  /**
   * True where all objects are as they were at one moment. False where the list took longer than the server keeps
   * its history (about 5 minutes): the rest was then read at a later moment. Each object that existed all the time is
   * there exactly once, but two objects may never have existed side by side as listed.
   */
  readonly consistent: boolean;
}

export function selectorQuery(collection: Collection): Record<string, string | undefined> {
  return { labelSelector: collection.labelSelector || undefined, fieldSelector: collection.fieldSelector || undefined };
}

/** Media types of metadata-only answers; all servers since Kubernetes 1.15 know them. */
export function acceptHeader(metadataOnly: boolean | undefined, shape: 'object' | 'list'): Record<string, string> {
  if (metadataOnly !== true) return { accept: 'application/json' };
  const kind = shape === 'list' ? 'PartialObjectMetadataList' : 'PartialObjectMetadata';
  return { accept: `application/json;as=${kind};g=meta.k8s.io;v=v1` };
}

/**
 * Lists in pages, consistently: without a resourceVersion, so that the first page is the newest state and the others
 * are of the same moment. Yields the objects in batches as they arrive; holds the bytes of one batch.
 */
export async function* listPages(
  target: Target,
  options: PageOptions,
): AsyncGenerator<readonly ScannedObject[], ListEnd, undefined> {
  const { attempt, signal } = options;
  let first: string | undefined;
  let consistent = true;
  let token = '';
  do {
    const request: ApiRequest = {
      path: options.path,
      query: { ...selectorQuery(options), limit: options.pageSize ?? defaultPageSize, continue: token || undefined },
      headers: acceptHeader(options.metadataOnly, 'list'),
      ...(signal === undefined ? {} : { signal }),
    };
    const fresh = token === '' ? await send(target, request, attempt) : await continuePage(target, request, options);
    if ('continueToken' in fresh) {
      consistent = false;
      token = fresh.continueToken;
      continue;
    }
    let next = '';
    try {
      for await (const part of decodeList(fresh.body)) {
        if (part.kind === 'objects') yield part.objects;
        else {
          first ??= part.resourceVersion;
          next = part.continueToken;
        }
      }
    } catch (error) {
      throw explain(target, attempt, error, signal);
    }
    token = next;
  } while (token !== '');
  return { resourceVersion: first ?? '', consistent };
}

/** Asks for a further page. Where the token expired (410), the server names one to go on with at a later moment. */
async function continuePage(
  target: Target,
  request: ApiRequest,
  { attempt, onExpired, signal }: PageOptions,
): Promise<Awaited<ReturnType<typeof send>> | { readonly continueToken: string }> {
  const response = await exchange(target, request, attempt);
  if (response.status < 400) return response;
  const text = await readText(response).catch((error: unknown) => {
    throw explain(target, attempt, error, signal);
  });
  const status = parseStatus(text, response.status);
  if (response.status === 410 && onExpired !== 'throw' && status.continueToken) {
    return { continueToken: status.continueToken };
  }
  throw statusError(target, attempt, status);
}

// What a URL asks for, in the API server's terms.
import { flag } from './list-options.ts';
import { selectedName } from './selectors.ts';

export interface RequestInfo {
  readonly group: string;
  readonly version: string;
  /** '' for paths above resources, such as /apis/GROUP/VERSION. */
  readonly plural: string;
  readonly namespace: string;
  /** '' for a collection. */
  readonly name: string;
  readonly subresource: string;
  readonly verb: string;
}

const verbs: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** Reads an /api or /apis path; undefined for others, and for /api, /apis, /apis/GROUP themselves. */
export function requestInfo(method: string, path: string, query: URLSearchParams): RequestInfo | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const [root, ...rest] = parts;
  if (root !== 'api' && root !== 'apis') return undefined;
  const group = root === 'api' ? '' : rest.shift();
  const version = rest.shift();
  if (group === undefined || version === undefined) return undefined;
  const watchPath = rest[0] === 'watch';
  if (watchPath) rest.shift();
  const { namespace, plural = '', name = '', subresource = '' } = placed(rest);
  return { group, version, namespace, plural, name, subresource, verb: verbOf(method, name, watchPath, query) };
}

interface Placed {
  readonly namespace: string;
  readonly plural?: string;
  readonly name?: string;
  readonly subresource?: string;
}

function placed(parts: readonly string[]): Placed {
  const [first, second, third, ...rest] = parts;
  const inNamespace = first === 'namespaces' && third !== undefined && third !== 'status' && third !== 'finalize';
  if (inNamespace) {
    const [name = '', ...subresource] = rest;
    return { namespace: second ?? '', plural: third, name, subresource: subresource.join('/') };
  }
  // A namespace by name belongs to itself, as far as permissions go.
  const namespace = first === 'namespaces' ? (second ?? '') : '';
  return {
    namespace,
    plural: first ?? '',
    name: second ?? '',
    subresource: [third, ...rest].filter((part) => part !== undefined).join('/'),
  };
}

function verbOf(method: string, name: string, watchPath: boolean, query: URLSearchParams): string {
  const written = verbs[method];
  if (written === 'delete') return name === '' ? 'deletecollection' : 'delete';
  if (written !== undefined) return written;
  if (watchPath || (name === '' && flag(query.get('watch')))) return 'watch';
  if (name !== '') return 'get';
  return method === 'GET' || method === 'HEAD' ? 'list' : method.toLowerCase();
}

/** The name that permissions are checked against: for lists, the one that a field selector pins down. */
export function permissionName({ name, verb }: RequestInfo, query: URLSearchParams): string {
  return name === '' && (verb === 'list' || verb === 'watch') ? selectedName(query.get('fieldSelector') ?? '') : name;
}

// JSON Merge Patch (RFC 7386) and JSON Patch (RFC 6902).
import { asString, clone, equal, isObject, type Json } from './json.ts';
import { badRequest, failure } from './status.ts';

/** The result of a merge patch; `target` is not changed. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return clone(patch);
  const result = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null || value === undefined) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}

/** The result of a JSON patch; `target` is not changed. Throws 422 where a path is missing or a test fails. */
export function jsonPatch(target: Json, operations: Json): Json {
  if (!Array.isArray(operations)) throw badRequest('error decoding patch: a JSON patch is an array of operations');
  let document = clone(target);
  for (const operation of operations) {
    if (!isObject(operation)) throw badRequest('error decoding patch: an operation is an object');
    const { op, path, from, value } = operation;
    if (typeof path !== 'string') throw badRequest('error decoding patch: an operation needs a path');
    const action = asString(op);
    switch (action) {
      case 'add':
      case 'replace':
        document = write(document, path, value ?? null, action === 'add');
        break;
      case 'remove':
        document = remove(document, path);
        break;
      case 'test':
        if (!equal(read(document, path), value)) throw rejected();
        break;
      case 'move':
      case 'copy': {
        if (typeof from !== 'string') throw badRequest(`error decoding patch: ${action} needs from`);
        const moved = clone(read(document, from));
        if (action === 'move') document = remove(document, from);
        document = write(document, path, moved, true);
        break;
      }
      default:
        throw badRequest('error decoding patch: unexpected kind of operation');
    }
  }
  return document;
}

function rejected(): Error {
  return failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}

function tokens(path: string): string[] {
  if (path === '') return [];
  if (!path.startsWith('/')) throw rejected();
  return path
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function read(document: Json, path: string): Json {
  let node: Json | undefined = document;
  for (const token of tokens(path))
    node = Array.isArray(node) ? node[Number(token)] : isObject(node) ? node[token] : undefined;
  if (node === undefined) throw rejected();
  return node;
}

function write(document: Json, path: string, value: Json, add: boolean): Json {
  const parts = tokens(path);
  const last = parts.pop();
  if (last === undefined) return value;
  const parent = parentOf(document, parts);
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : Number(last);
    if (!Number.isInteger(index) || index < 0 || index > parent.length) throw rejected();
    parent.splice(index, add ? 0 : 1, value);
  } else {
    if (!add && parent[last] === undefined) throw rejected();
    parent[last] = value;
  }
  return document;
}

function remove(document: Json, path: string): Json {
  const parts = tokens(path);
  const last = parts.pop();
  if (last === undefined) throw rejected();
  const parent = parentOf(document, parts);
  if (Array.isArray(parent)) {
    if (parent[Number(last)] === undefined) throw rejected();
    parent.splice(Number(last), 1);
  } else {
    if (parent[last] === undefined) throw rejected();
    delete parent[last];
  }
  return document;
}

function parentOf(document: Json, parts: readonly string[]): Json[] | { [key: string]: Json | undefined } {
  const pointer = parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  const parent = read(document, pointer);
  if (Array.isArray(parent) || isObject(parent)) return parent;
  throw rejected();
}

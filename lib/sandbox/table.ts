// Tables, the form in which `kubectl get` asks for objects: the server picks the columns.
import { humanDuration } from './human-time.ts';
import { asArray, asObject, asString, encode, isObject, type Json, type JsonObject } from './json.ts';
import type { KubeObject } from './object.ts';
import type { Column } from './resource.ts';

const nameColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
  priority: 0,
};

export function columnDefinitions(columns: readonly Column[]): Json[] {
  const own = columns.map(({ name, type, format, description, priority }) => {
    return { name, type: type === 'count' ? 'string' : type, format, description, priority };
  });
  return [nameColumn, ...own];
}

export function cells(object: KubeObject, columns: readonly Column[], now: number): Json[] {
  return [object.metadata.name, ...columns.map((column) => cell(object, column, now))];
}

/** The cells of a bookmark, which has neither a name nor fields. */
export function emptyCells(columns: readonly Column[]): Json[] {
  return ['', ...columns.map(() => null)];
}

function cell(object: KubeObject, { type, jsonPath }: Column, now: number): Json {
  const value = evaluate(object, jsonPath);
  if (type === 'count') return Array.isArray(value) ? value.length : Object.keys(asObject(value)).length;
  if (value === undefined || value === null) return null;
  if (type === 'date') {
    const time = Date.parse(asString(value));
    return Number.isNaN(time) ? '<unknown>' : humanDuration(now - time);
  }
  if (type === 'integer' || type === 'number' || type === 'boolean') return typeof value === 'object' ? null : value;
  return typeof value === 'string' ? value : encode(value);
}

const stepPattern = /\.((?:\\.|[^.[\]\\])+)|\['([^']+)'\]|\[(\d+|\*)\]|\[\?\(@\.(\w+)\s*==\s*["']([^"']*)["']\)\]/gy;

/** The JSONPath that additionalPrinterColumns use: members, indexes, and `[?(@.type=="Ready")]`. */
export function evaluate(object: JsonObject, path: string): Json | undefined {
  let node: Json | undefined = object;
  stepPattern.lastIndex = 0;
  while (stepPattern.lastIndex < path.length) {
    const match = stepPattern.exec(path);
    if (match === null) return undefined;
    const [, member, quoted, index, key, wanted] = match;
    const name: string | undefined = member ?? quoted;
    if (name !== undefined) node = isObject(node) ? node[name.replaceAll('\\', '')] : undefined;
    else if (index !== undefined) node = asArray(node)[index === '*' ? 0 : Number(index)];
    else node = asArray(node).find((item) => isObject(item) && item[key ?? ''] === wanted);
  }
  return node;
}

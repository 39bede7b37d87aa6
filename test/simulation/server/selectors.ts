// Which objects a request asks for: a namespace, labels, a name.
import type { ApiRequest } from '../../../lib/ports/api-server.ts';
import type { SimObject } from './sim-object.ts';

export interface Selection {
  readonly matches: (object: SimObject) => boolean;
  /** True where labels or fields select: lists then don't count what remains (KUBERNETES 21). */
  readonly selective: boolean;
}

/** Labels: `a=b`, `a!=b` and `a`, joined by commas. Fields: metadata.name and metadata.namespace. */
export function selectionOf(namespace: string | undefined, query: NonNullable<ApiRequest['query']>): Selection {
  const tests: ((object: SimObject) => boolean)[] = [];
  if (namespace !== undefined) tests.push((object) => object.namespace === namespace);
  const labels = terms(query.labelSelector);
  const fields = terms(query.fieldSelector);
  for (const { key, value, negated } of labels) {
    if (value === undefined) tests.push(({ labels: own }) => own[key] !== undefined);
    else tests.push(({ labels: own }) => (own[key] === value) !== negated);
  }
  for (const { key, value, negated } of fields) {
    if (key !== 'metadata.name' && key !== 'metadata.namespace') throw new Error(`no field selector ${key} here`);
    const field = key === 'metadata.name' ? 'name' : 'namespace';
    tests.push((object) => (object[field] === value) !== negated);
  }
  return {
    matches: (object) => tests.every((test) => test(object)),
    selective: labels.length + fields.length > 0,
  };
}

interface Term {
  readonly key: string;
  readonly value: string | undefined;
  readonly negated: boolean;
}

function terms(selector: string | number | boolean | undefined): readonly Term[] {
  if (selector === undefined || selector === '') return [];
  return String(selector)
    .split(',')
    .map((term) => {
      const [, key, operator, value] = /^([^!=]+)(!=|==?)?(.*)$/.exec(term) ?? [];
      if (key === undefined) throw new Error(`no selector ${term} here`);
      return { key, value: operator === undefined ? undefined : value, negated: operator === '!=' };
    });
}

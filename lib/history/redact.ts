// Redaction before anything is recorded (promise 9). The one place on the way in that parses whole objects, and only those
// that a rule names.
import { formatGroupResource, type GroupResource } from '../model/resource.ts';
import { parseObject } from './parse-object.ts';

export interface RedactionRule {
  /** Which resources: a predicate made from a pattern. */
  readonly matches: (resource: GroupResource) => boolean;
  /** Field paths: `data`, `spec.password`, `spec.users.*.token` (`*` is every key or item). */
  readonly fields: readonly string[];
}

/** Redacts anything that carries an object's JSON. */
export type Redactor = <T extends { readonly object: Uint8Array }>(change: T) => T;

const REDACTED = 'REDACTED';
/** kubectl keeps the whole applied object here, the redacted fields included. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Core Secrets are always redacted, whatever else is configured. */
export const secretsRule: RedactionRule = {
  matches: (resource) => formatGroupResource(resource) === 'secrets',
  fields: ['data', 'stringData'],
};

/**
 * The function that redacts a resource's changes, undefined where no rule matches (nothing is parsed then). It throws
 * Mk8sError `protocol` for an object that is no JSON.
 */
export function redactor(rules: readonly RedactionRule[], resource: GroupResource): Redactor | undefined {
  const paths = rules
    .filter((rule) => rule.matches(resource))
    .flatMap((rule) => rule.fields.map((field) => field.split('.')));
  if (paths.length === 0) return undefined;
  return (change) => {
    const object = parseObject(change.object);
    for (const path of paths) redactPath(object, path);
    redactPath(object, ['metadata', 'annotations', LAST_APPLIED]);
    return { ...change, object: Buffer.from(JSON.stringify(object)) };
  };
}

/** Replaces every scalar at or below the path, and keeps keys and list lengths: that a value exists is no secret. */
function redactPath(value: unknown, path: readonly string[]): void {
  const [segment, ...rest] = path;
  if (segment === undefined || typeof value !== 'object' || value === null) return;
  const container = value as Record<string, unknown>;
  const keys = segment === '*' ? Object.keys(container) : Object.hasOwn(container, segment) ? [segment] : [];
  for (const key of keys) {
    if (rest.length === 0) container[key] = redactAll(container[key]);
    else redactPath(container[key], rest);
  }
}

function redactAll(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactAll);
  if (typeof value !== 'object' || value === null) return value === null ? null : REDACTED;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactAll(inner)]));
}

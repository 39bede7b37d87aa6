// The rule `ignoreNoop`: a change that alters nothing but resourceVersion and managedFields is no news.
import { parseObject } from './parse-object.ts';

/** True where two states of one object (JSON bytes, managedFields cut out) differ in nothing but metadata.resourceVersion. */
export function isNoop(before: Uint8Array, after: Uint8Array): boolean {
  return comparable(before) === comparable(after);
}

function comparable(object: Uint8Array): string {
  const parsed = parseObject(object) as { metadata?: Record<string, unknown> };
  const { resourceVersion: _, managedFields: __, ...metadata } = parsed.metadata ?? {};
  return JSON.stringify({ ...parsed, metadata });
}

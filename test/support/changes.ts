// Makes streams and changes for tests: small, deterministic, and with every field told apart.
import { resourceVersion } from '../../lib/model/resource-version.ts';
import type { Observed, Revision } from '../../lib/model/revision.ts';
import { clusterId, type StreamRef } from '../../lib/model/stream.ts';

export function testStream(plural = 'widgets', cluster = 'c-1'): StreamRef {
  return { cluster: clusterId(cluster), group: 'example.com', plural, selector: {} };
}

export interface ChangeOptions extends Partial<Omit<Observed, 'resourceVersion' | 'asOf' | 'object'>> {
  readonly asOf?: string;
  /** The object's JSON; made from the other fields unless given. */
  readonly object?: string | Uint8Array;
}

/** A change of object `name` at resourceVersion `rv`: an update seen on a watch, in namespace `ns`, unless told otherwise. */
export function change(name: string, rv: number | string, options: ChangeOptions = {}): Observed {
  const { object, asOf, ...rest } = options;
  const uid = options.uid ?? `uid-${name}`;
  const text = object ?? JSON.stringify({ metadata: { name, uid, resourceVersion: String(rv) }, spec: { é: rv } });
  return {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    namespace: 'ns',
    name,
    manager: 'tester',
    type: 'update',
    origin: 'watch',
    observedAt: Date.UTC(2026, 0, 1) + Number(rv),
    ...rest,
    uid,
    resourceVersion: resourceVersion(String(rv)),
    asOf: resourceVersion(asOf ?? String(rv)),
    object: typeof text === 'string' ? new TextEncoder().encode(text) : text,
  };
}

/** `[sequence, name, resourceVersion, type]` of each: what tests compare. */
export function brief(revisions: readonly Revision[]): [number, string, string, string][] {
  return revisions.map(({ sequence, name, resourceVersion: rv, type }) => [sequence, name, rv, type]);
}

/** All that an async iterable gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

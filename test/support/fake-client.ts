// A client over an ApiServer in memory, for tests that say what the server answers.

import { Client } from '../../lib/adapters/kubernetes/client.ts';
import { systemClock } from '../../lib/async/system-clock.ts';
import { Mk8sError } from '../../lib/model/errors.ts';
import type { ApiServer } from '../../lib/ports/api-server.ts';
import type { Clock } from '../../lib/ports/clock.ts';

/** The recorded CRD, in the form that needs no discovery. */
export const widgets = { group: 'example.com', version: 'v1', plural: 'widgets', namespaced: true };

export function fakeClient(api: ApiServer, clock: Clock = systemClock): Client {
  return new Client({ api, name: 'a', namespace: 'team-a', clock, random: () => 0.5 });
}

/** All that a generator yields, and what it returns. */
export async function drain<T, R>(generator: AsyncGenerator<T, R, undefined>): Promise<{ items: T[]; end: R }> {
  const items: T[] = [];
  for (let next = await generator.next(); ; next = await generator.next()) {
    if (next.done === true) return { items, end: next.value };
    items.push(next.value);
  }
}

/** The Mk8sError that this rejects with. */
export async function failure(work: Promise<unknown>): Promise<Mk8sError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Mk8sError) return error;
  throw new Error('expected an Mk8sError', { cause: error });
}

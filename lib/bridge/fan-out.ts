// Several sinks as one: acknowledged when all have acknowledged.
import { Mk8sError } from '../model/errors.ts';
import type { Revision } from '../model/revision.ts';
import type { EventSink } from '../ports/event-sink.ts';

export function fanOut(sinks: readonly EventSink[]): EventSink {
  /** Who has acknowledged a batch that failed elsewhere: the same batch comes again, and only the others need it. */
  const acknowledged = new WeakMap<readonly Revision[], Set<EventSink>>();
  return {
    name: sinks.map(({ name }) => name).join(', '),
    async publish(batch, signal, onProgress) {
      const done = acknowledged.get(batch) ?? new Set();
      acknowledged.set(batch, done);
      const results = await Promise.allSettled(
        sinks
          .filter((sink) => !done.has(sink))
          .map(async (sink) => {
            await sink.publish(batch, signal, onProgress);
            done.add(sink);
          }),
      );
      const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
      // What only somebody else can mend is worth more words than what passes.
      const worst = failures.find((error) => error instanceof Mk8sError && !error.retryable) ?? failures[0];
      if (failures.length > 0) throw worst;
    },
    async close() {
      await Promise.all(sinks.map((sink) => sink.close()));
    },
  };
}

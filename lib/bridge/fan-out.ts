// Several sinks as one: acknowledged when all have acknowledged.
import type { EventSink } from '../ports/event-sink.ts';

export function fanOut(sinks: readonly EventSink[]): EventSink {
  return {
    name: sinks.map(({ name }) => name).join(', '),
    async publish(batch, signal) {
      const results = await Promise.allSettled(sinks.map((sink) => sink.publish(batch, signal)));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
    async close() {
      await Promise.all(sinks.map((sink) => sink.close()));
    },
  };
}

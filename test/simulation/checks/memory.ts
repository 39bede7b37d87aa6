// Promise 7: bytes in flight are bounded. Of each stream at most one batch is being recorded and one being published; what
// waits in memory fits the budget, and is given back; nobody reads ahead of recording more than was allowed.
import { type StreamKey, streamKey } from '../../../lib/model/stream.ts';
import type { BridgeProcess } from '../bridge-process.ts';
import { type Model, nameOf } from '../model/model.ts';
import type { Check } from '../model/observer.ts';

/** A batch of the publisher: 1,000 changes or 1 MiB, and the revision that passes it. */
const BATCH = { changes: 1_000, bytes: 1024 * 1024 + 64 * 1024 };

export function memory(model: Model): Check {
  const bridges = new Set<BridgeProcess>();
  /** By process, sink and stream. */
  const publishing = new Map<string, number>();

  return {
    onBridgeStart: (bridge) => void bridges.add(bridge),
    onBridgeEnd(bridge) {
      bridges.delete(bridge);
      if (bridge.ended === undefined || bridge.budget.taken === 0) return;
      model.fail(7, `${bridge.process.name} ended and still holds ${bridge.budget.taken} bytes of the budget`);
    },
    onAppendBegins(process, stream) {
      // Its cluster may be known to the process under several addresses; each is named after the cluster.
      const cluster = model.clusters.get(stream.cluster)?.name;
      const { namespace } = stream.selector;
      const path = `${namespace === undefined ? '' : `/namespaces/${namespace}`}/${stream.plural}`;
      for (const pull of process.pulls) {
        const isIts =
          pull.server.includes(`${cluster}`) && pull.path.endsWith(path) && pull.path.includes(`/${stream.group}`);
        if (isIts && pull.path.includes('/namespaces/') === (namespace !== undefined)) {
          model.fail(
            7,
            `${process.name} reads on of ${pull.path} while it records what it read of ${nameOf(model, stream)}`,
          );
        }
      }
    },
    onBatch(sink, process, batch, phase) {
      const [first] = batch;
      if (first === undefined) return;
      const key: StreamKey = streamKey(first.stream);
      const what = `${process.name} ${sink} ${key}`;
      if (phase === 'ends') return void publishing.delete(what);
      const told = `${process.name} publishes ${nameOf(model, first.stream)} to ${sink}`;
      if (publishing.has(what)) model.fail(7, `${told} twice at a time`);
      const bytes = batch.reduce((sum, { object }) => sum + object.byteLength, 0);
      publishing.set(what, bytes);
      if (batch.length > BATCH.changes || bytes > BATCH.bytes) {
        model.fail(7, `${told} in a batch of ${batch.length} changes and ${bytes} bytes`);
      }
    },
    onStep() {
      for (const { budget, process } of bridges) {
        if (budget.taken > budget.limit || budget.taken < 0) {
          model.fail(7, `${process.name} holds ${budget.taken} bytes, and ${budget.limit} are its budget`);
        }
      }
    },
  };
}

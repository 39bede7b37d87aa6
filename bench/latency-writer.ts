// A child process that changes objects at a steady rate, each write a request of its own, whether or not earlier ones were
// answered. Gets a task, tells when all writes were answered.
import { setTimeout as delay } from 'node:timers/promises';
import { type ClusterEndpoint, clusterClient } from '../test/support/cluster-client.ts';
import { objectPath } from '../test/support/crd.ts';
import { NAMESPACE, objectName, RESOURCE, stamp } from './latency-stamps.ts';

export interface WriterTask extends ClusterEndpoint {
  readonly objects: number;
  /** A second. */
  readonly rate: number;
  readonly writes: number;
}

async function write({ objects, rate, writes, ...endpoint }: WriterTask): Promise<number> {
  await using client = clusterClient(endpoint);
  const startedAt = performance.now();
  const answers: Promise<void>[] = [];
  for (let n = 0; n < writes; ) {
    const due = Math.min(writes, Math.floor(((performance.now() - startedAt) / 1000) * rate));
    for (; n < due; n++) answers.push(change(client, n, objects));
    await delay(1);
  }
  await Promise.all(answers);
  return writes / ((performance.now() - startedAt) / 1000);
}

async function change(client: ReturnType<typeof clusterClient>, n: number, objects: number): Promise<void> {
  const path = objectPath(RESOURCE, NAMESPACE, objectName(n % objects));
  const patch = { spec: { stamp: stamp(n) } };
  const { status, text } = await client.request('PATCH', path, patch, 'application/merge-patch+json');
  if (status !== 200) throw new Error(`A write was answered with ${status}: ${text}`);
}

process.once('message', (task: WriterTask) => {
  write(task).then(
    (rate) => process.send?.({ rate }, () => process.exit(0)),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});

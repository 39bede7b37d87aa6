// Our side: what `mk8s run` is made of, put together as compose/run.ts does, with a sink that acknowledges at once. From the
// socket through decoding, the durable log and the sink to the checkpoint; an event counts when a checkpoint covers it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDataFolder } from '../lib/adapters/disk/data-folder.ts';
import { kubernetesDiscovery } from '../lib/adapters/kubernetes/discovery-port.ts';
import { kubeconfigSource } from '../lib/adapters/kubernetes/kubeconfig.ts';
import { createShares } from '../lib/async/shares.ts';
import { systemClock } from '../lib/async/system-clock.ts';
import { runBridge } from '../lib/bridge/bridge.ts';
import { createByteBudget } from '../lib/bridge/byte-budget.ts';
import { createStatusKeeper } from '../lib/bridge/housekeeping.ts';
import { createLeaseKeeper } from '../lib/bridge/lease-keeper.ts';
import { createStatusBoard } from '../lib/bridge/status-board.ts';
import { createTally } from '../lib/bridge/tally.ts';
import { thisProcess } from '../lib/compose/ownership.ts';
import { redactionRules, wantedOf, watchPolicy } from '../lib/compose/run-settings.ts';
import { loadConfig } from '../lib/config/load.ts';
import type { CheckpointStore } from '../lib/ports/checkpoint-store.ts';
import type { EventSink } from '../lib/ports/event-sink.ts';
import type { Report } from '../lib/ports/reporter.ts';
import type { RevisionLog } from '../lib/ports/revision-log.ts';
import { COLLECTION } from './pipeline-events.ts';
import { type PipelineResult, type PipelineTask, runTask, startMeter } from './pipeline-target.ts';

async function run(task: PipelineTask): Promise<PipelineResult> {
  const env = {
    MK8S_DATA: join(task.folder, 'data'),
    MK8S_RESOURCES: `${COLLECTION.plural}.${COLLECTION.group}`,
  };
  const { config } = await loadConfig({ env, cwd: task.folder });
  const meter = startMeter(task);
  const over = new AbortController();
  const folder = openDataFolder({ path: config.data, clock: systemClock, host: thisProcess().host });
  const report: Report = ({ severity, message }) => {
    if (severity !== 'INFO' && severity !== 'DEBUG') process.stderr.write(`${message}\n`);
  };
  const leases = createLeaseKeeper({ ...folder, holder: thisProcess(), clock: systemClock, report });
  const board = createStatusBoard();
  const beside = new AbortController();
  const status = createStatusKeeper(
    folder.status,
    board,
    { description: 'bench', startedAt: systemClock.now(), problems: () => [] },
    { clock: systemClock, report, signal: beside.signal },
  );
  const shown = status.run();
  await runBridge({
    ...folder,
    log: counted(folder.log, meter.committed),
    checkpoints: watched(folder.checkpoints, (published) => {
      if (meter.reached(published)) over.abort(new Error('all events are through'));
    }),
    leases,
    showStatus: () => status.write(),
    sources: [kubeconfigSource({ env: {}, home: task.folder, path: kubeconfigFile(task) })],
    discovery: kubernetesDiscovery,
    wanted: wantedOf(config),
    refreshMs: 30_000,
    stop: over.signal,
    onInventory: () => {},
    sink: acknowledging,
    redact: redactionRules(config),
    ignoreNoop: config.ignoreNoop,
    mode: config.mode,
    policy: watchPolicy(config),
    syncs: createShares(8),
    budget: createByteBudget(config.memory),
    board,
    tally: createTally(),
    clock: systemClock,
    random: Math.random,
    report,
  });
  beside.abort();
  await shown;
  await folder.close();
  return meter.read();
}

/** Looks at each change, as little as a sink can, and has it. */
const acknowledging: EventSink = {
  name: 'acknowledging',
  async publish(batch) {
    for (const { object, sequence } of batch) {
      if (object.length === 0) throw new Error(`Revision ${sequence} has no object.`);
    }
  },
  close: () => Promise.resolve(),
};

function counted(log: RevisionLog, committed: () => void): RevisionLog {
  return {
    ...log,
    async append(stream, batch) {
      const revisions = await log.append(stream, batch);
      committed();
      return revisions;
    },
  };
}

function watched(checkpoints: CheckpointStore, moved: (published: number) => void): CheckpointStore {
  return {
    ...checkpoints,
    async compareAndSet(stream, before, next) {
      await checkpoints.compareAndSet(stream, before, next);
      moved(next.published);
    },
  };
}

function kubeconfigFile({ url, ca, folder }: PipelineTask): string {
  const path = join(folder, 'kubeconfig');
  const trust = ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'bench',
    clusters: [{ name: 'bench', cluster: { server: url, ...trust } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    users: [{ name: 'bench', user: {} }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

runTask(run);

// One side of the sync benchmark: `mk8s run --mode catch-up` of one collection into a new data folder: decoded, recorded
// with fsync, checkpointed. Arguments: the server's URL, the folder. Prints objects, milliseconds, peak memory.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRun } from '../lib/compose.ts';
import { loadConfig } from '../lib/config/load.ts';

const [server = '', folder = ''] = process.argv.slice(2);
const kubeconfig = join(folder, 'kubeconfig');
writeFileSync(
  kubeconfig,
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'bench',
    clusters: [{ name: 'bench', cluster: { server } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    users: [{ name: 'bench', user: {} }],
  }),
);
const env = {
  MK8S_MODE: 'catch-up',
  MK8S_KUBECONFIG: kubeconfig,
  MK8S_DATA: join(folder, 'data'),
  MK8S_RESOURCES: 'httproutes.gateway.networking.k8s.io',
};
const { config } = await loadConfig({ env, cwd: folder });
const startedAt = performance.now();
const run = await startRun(config, { env: {}, signal: new AbortController().signal, report: () => {} });
const summary = await run.finished;
const milliseconds = performance.now() - startedAt;
const peakBytes = process.resourceUsage().maxRSS * 1024;
process.stdout.write(`${JSON.stringify({ objects: summary.recorded.add, milliseconds, peakBytes })}\n`);
process.exit(summary.exitCode);

// All that a crash run consists of: clusters, a disk, the bridge, two subscribers, and what is known of them.
import { appendFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Arrivals, createArrivals } from '../support/arrivals.ts';
import { served, type TestResource } from '../support/crd.ts';
import { kubeconfigText } from '../support/kubeconfig-file.ts';
import type { FeedEvent } from '../support/materialise.ts';
import { startMk8s } from '../support/process.ts';
import { realCluster } from '../support/real-cluster.ts';
import type { FragileCluster } from '../support/test-cluster.ts';
import { endpoints, prepareFleet, type TestFleet } from '../support/test-fleet.ts';
import { startWebhookSubscriber, type WebhookSubscriber } from '../support/webhook-subscriber.ts';
import { createLimitedDisk, type LimitedDisk } from './limited-disk.ts';
import type { CrashOptions } from './options.ts';
import { sandboxCluster } from './sandbox-cluster.ts';
import { type Supervised, supervise } from './supervised.ts';

export interface CrashWorld extends AsyncDisposable {
  readonly clusters: readonly FragileCluster[];
  readonly resources: readonly TestResource[];
  readonly fleet: TestFleet;
  readonly disk: LimitedDisk;
  /** The data folder, on the disk. */
  readonly data: string;
  /** Everything that a process wrote to a log, a file for each name. */
  readonly logs: string;
  /** The bridge that is to run now; an act that starts another one may put that in its place. */
  bridge: Bridge;
  /** Another `mk8s run` on the same folder, not started yet. */
  anotherBridge(clock: Clock): Bridge;
  /** `mk8s tail --follow` of one subscription, over all its lives. */
  readonly tail: Supervised;
  readonly arrivals: Arrivals;
  /** The origin of the last change of an object that the tail showed, by uid. */
  readonly origins: ReadonlyMap<string, string>;
  readonly webhook: WebhookSubscriber;
  /** Resolves with how many milliseconds passed until both subscribers had what the servers have. */
  settled(timeoutMs: number): Promise<number>;
}

/** A wrong wall clock: so many milliseconds ahead, and so many more every other second, or from the eighth on. */
export interface Clock {
  readonly offset: number;
  readonly jump: number;
  readonly jumps: 'often' | 'once';
}

export interface Bridge extends Supervised {
  /** From the next start on. */
  clock: Clock;
}

export const rightClock: Clock = { offset: 0, jump: 0, jumps: 'often' };

const resources: readonly TestResource[] = [
  { group: 'example.com', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true },
  { group: 'tools.example.org', version: 'v1beta1', plural: 'gadgets', kind: 'Gadget', namespaced: false },
  { group: 'example.com', version: 'v1alpha2', plural: 'gizmos', kind: 'Gizmo', namespaced: true },
];
const names = ['east', 'west', 'north', 'south', 'middle'];
const clockModule = pathToFileURL(join(import.meta.dirname, 'skewed-clock.ts')).href;

/** Starts servers, webhook, bridge and tail; `folder` is to hold their files and logs. */
export async function startCrashWorld(
  options: CrashOptions,
  folder: string,
  random: () => number,
): Promise<CrashWorld> {
  const owned = new AsyncDisposableStack();
  try {
    const clusters = await startClusters(options, folder, owned);
    const fleet = await prepareFleet(clusters, resources);
    const disk = owned.use(await createLimitedDisk(folder, options.disk));
    const data = join(disk.path, 'data');
    const logs = join(folder, 'logs');
    await mkdir(logs);
    const kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, kubeconfigText(endpoints(clusters)), { mode: 0o600 });
    const webhook = owned.use(await startWebhookSubscriber(random));

    const start = (name: string, flags: readonly string[], more: Parameters<typeof startMk8s>[1] = {}) => {
      const log = (text: string): void => appendFileSync(join(logs, `${name}.log`), text);
      log(`--- ${new Date().toISOString()} mk8s ${flags.join(' ')}\n`);
      return startMk8s(flags, { onOutput: log, ...more, env: { HOME: folder, ...more.env } });
    };
    const place = ['--data', data];
    const runFlags = ['run', '--source', 'kubeconfig', '--kubeconfig', kubeconfig, ...place, '--view', 'log'];
    let bridges = 0;
    const anotherBridge = (clock: Clock): Bridge => {
      bridges += 1;
      const name = `bridge-${bridges}`;
      const bridge: Bridge = Object.assign(
        supervise(name, () => {
          const { offset, jump, jumps } = bridge.clock;
          const wrong = { NODE_OPTIONS: `--import=${clockModule}`, CRASH_CLOCK: `${offset},${jump},${jumps}` };
          const env = bridge.clock === rightClock ? {} : wrong;
          return start(name, [...runFlags, '--log-level', 'debug', '--sink', webhook.url], { env });
        }),
        { clock },
      );
      return owned.use(bridge);
    };

    const arrivals = createArrivals('the tail');
    const origins = new Map<string, string>();
    const tailFlags = ['tail', ...place, '--subscription', 's', '--from', 'beginning', '--follow', '-o', 'cloudevents'];
    const onLine = (line: string): void => {
      const event = JSON.parse(line) as FeedEvent;
      origins.set(event.data.metadata.uid ?? '', event.origin);
      arrivals.take(event);
    };
    const tail = owned.use(
      supervise('the tail', () => {
        const running = start('tail', tailFlags, { onLine, keep: 64 * 1024, onOutput: () => undefined });
        void running.exit.then(() => appendFileSync(join(logs, 'tail.log'), running.stderr()));
        return running;
      }),
    );

    const bridge = anotherBridge(rightClock);
    bridge.start();
    // The folder is there once something was published from it; there is something to publish.
    await clusters[0]?.client.call('POST', `/apis/example.com/v1/namespaces/team-a/widgets`, firstObject);
    await webhook.arrivals.more(1);
    tail.start();

    return {
      clusters,
      resources,
      fleet,
      disk,
      data,
      logs,
      bridge,
      anotherBridge,
      tail,
      arrivals,
      origins,
      webhook,
      async settled(timeoutMs) {
        const startedAt = performance.now();
        for (const { client } of clusters) for (const resource of resources) await served(client, resource);
        const servers = await fleet.state();
        await arrivals.reach(servers, timeoutMs);
        await webhook.arrivals.reach(servers, timeoutMs);
        return performance.now() - startedAt;
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  } catch (error) {
    await owned.disposeAsync();
    throw error;
  }
}

const firstObject = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'the-first' }, spec: {} };

async function startClusters(
  { clusters, servers }: CrashOptions,
  folder: string,
  owned: AsyncDisposableStack,
): Promise<readonly FragileCluster[]> {
  if (clusters > names.length) throw new Error(`--clusters: at most ${names.length}`);
  const start = servers === 'real' ? realCluster : (name: string) => sandboxCluster(name, join(folder, 'clusters'));
  const started: FragileCluster[] = [];
  // One by one: side by side they take as long, and each of them longer than it is given.
  for (const name of names.slice(0, clusters)) started.push(owned.use(await start(name)));
  return started;
}

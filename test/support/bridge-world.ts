// Two clusters, a home for the record, the real command in its processes, and two subscribers: what the end-to-end cases share.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Arrivals } from './arrivals.ts';
import type { BridgeHome } from './bridge-home.ts';
import type { TestResource } from './crd.ts';
import { diskHome } from './disk-home.ts';
import type { StreamRow } from './feed-commands.ts';
import { kubeconfigText } from './kubeconfig-file.ts';
import { compareStates, type FeedEvent, materialise, type State } from './materialise.ts';
import { type Exit, type RunningProcess, runMk8s, startMk8s } from './process.ts';
import { subscriberFaults } from './subscribers.ts';
import { temporaryFolder } from './temporary-folder.ts';
import type { TestCluster } from './test-cluster.ts';
import { endpoints, prepareFleet } from './test-fleet.ts';
import { startWebhookSubscriber } from './webhook-subscriber.ts';

export interface BridgeWorld extends AsyncDisposable {
  readonly run: {
    /** Starts `mk8s run` with the webhook as sink. */
    start(): Promise<void>;
    kill(signal?: NodeJS.Signals): Promise<Exit>;
    pid(): number;
    /** What the current one has logged. */
    log(): string;
  };
  /** Who listens beside the webhook (`mk8s tail --follow` of one subscription), restarted by the test; its events over all its lives. */
  readonly tail: Pick<BridgeHome['subscriber'], 'arrivals' | 'start' | 'kill'>;
  readonly webhook: Arrivals;
  /** Resolves when tail and webhook have led to what the servers have now (of these clusters; default all). */
  settled(clusters?: readonly TestCluster[]): Promise<void>;
  /** `mk8s run` with these flags, to its end. */
  runOnce(flags: readonly string[]): Promise<Exit & { stdout: string; stderr: string }>;
  /** All of the feed, from the beginning, by a tail of its own. */
  feed(): Promise<FeedEvent[]>;
  differences(events: readonly FeedEvent[]): Promise<string[]>;
  origins(): Promise<Set<string>>;
  status(): Promise<StreamRow[]>;
  /** Epochs of a cluster's changes. */
  epochs(cluster: TestCluster): Promise<Set<number>>;
  /** Throws where a subscriber saw something that promises 2, 3 or 5 exclude. */
  checkSubscribers(): Promise<void>;
}

/** Prepares clusters and folder; `run` is not started yet, the tail is. */
export async function startBridgeWorld(
  clusters: readonly TestCluster[],
  resources: readonly TestResource[],
  random: () => number,
  openHome: (folder: string) => Promise<BridgeHome> = diskHome,
): Promise<BridgeWorld> {
  const folder = await temporaryFolder();
  const kubeconfig = join(folder.path, 'kubeconfig');
  const home = await openHome(folder.path);
  const { env, subscriber } = home;
  const { arrivals } = subscriber;
  await writeFile(kubeconfig, kubeconfigText(endpoints(clusters)));
  const fleet = await prepareFleet(clusters, resources);

  const webhook = await startWebhookSubscriber(random);
  const runFlags = ['run', '--source', 'kubeconfig', '--kubeconfig', kubeconfig, ...home.flags, '--view', 'log'];
  const sink = ['--sink', webhook.url];
  let running: RunningProcess | undefined;

  let listens = false;

  /** The servers' present; of clusters that are not asked, what the subscriber has. */
  const expected = async (asked: readonly TestCluster[], has: State): Promise<State> => {
    const known = new Set(asked.map((cluster) => fleet.idOf(cluster)));
    const rest = [...has].filter(([key]) => !known.has(key.split(' ')[0] ?? ''));
    return new Map([...rest, ...(await fleet.state(asked))]);
  };

  async function settled(asked: readonly TestCluster[] = clusters): Promise<void> {
    try {
      const servers = await expected(asked, arrivals.result.state);
      await arrivals.reach(servers);
      await webhook.arrivals.reach(servers);
    } catch (error) {
      const said = `\n--- run:\n${running?.stdout().slice(-6000)}\n${running?.stderr().slice(-3000)}\n--- subscriber:\n${subscriber.said()}`;
      throw new Error(`${(error as Error).message}${said}`, { cause: error });
    }
  }

  return {
    run: {
      async start() {
        running = startMk8s([...runFlags, ...sink], { env });
        if (listens) return;
        // The folder is there once something was published from it.
        await webhook.arrivals.more(1);
        await subscriber.start();
        listens = true;
      },
      kill: (signal) => running?.kill(signal) ?? Promise.reject(new Error('no run was started')),
      pid: () => running?.pid ?? 0,
      log: () => running?.stdout() ?? '',
    },
    tail: subscriber,
    webhook: webhook.arrivals,
    settled,
    runOnce: (flags) => runMk8s([...runFlags, ...sink, ...flags], { env }),
    feed: () => home.feed(),
    differences: async (events) => compareStates(materialise(events).state, await fleet.state()),
    origins: async () => new Set((await home.feed()).map(({ origin }) => origin)),
    status: () => home.status(),
    epochs: async (cluster) =>
      new Set(
        (await home.feed()).filter((event) => event.cluster === fleet.idOf(cluster)).map(({ epoch }) => Number(epoch)),
      ),
    async checkSubscribers() {
      const received = { tail: arrivals.result, webhook: webhook.arrivals.result };
      const faults = subscriberFaults(await home.feed(), received);
      if (faults.length > 0) throw new Error(faults.slice(0, 20).join('\n'));
    },
    async [Symbol.asyncDispose]() {
      await running?.kill();
      await home[Symbol.asyncDispose]();
      await webhook[Symbol.asyncDispose]();
      for (const cluster of clusters) await cluster[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

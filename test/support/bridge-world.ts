// Two clusters, a data folder, the real command in its processes, and two subscribers: what the end-to-end cases share.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Arrivals, createArrivals } from './arrivals.ts';
import { type ClusterClient, type ClusterEndpoint, listAll } from './cluster-client.ts';
import { createCrd, createNamespaces, resourcePath, type TestResource } from './crd.ts';
import { kubeconfigText } from './kubeconfig-file.ts';
import { compareStates, type FeedEvent, materialise, type State, serverState } from './materialise.ts';
import { type Exit, type RunningProcess, runMk8s, startMk8s } from './process.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { eventOf, startWebhookReceiver } from './webhook-receiver.ts';

/** A cluster that a test may hurt. */
export interface TestCluster extends AsyncDisposable {
  /** Its context in the kubeconfig. */
  readonly name: string;
  readonly endpoint: ClusterEndpoint;
  readonly client: ClusterClient;
  /** Ends the server without a word to its clients, as SIGKILL does. */
  kill(): Promise<void>;
  /** The same server returns at the same address. */
  start(): Promise<void>;
  /** From now on a watch from an earlier resourceVersion is answered with 410. */
  forget(): Promise<void>;
  /** Saves the cluster's state; the result restores it: same identity, resourceVersions that went back. */
  backup(): Promise<() => Promise<void>>;
}

interface StreamRow {
  readonly cluster: string;
  readonly resource: string;
  readonly state: string;
  readonly epoch: number;
  readonly gaps: number;
}

export interface BridgeWorld extends AsyncDisposable {
  readonly run: {
    /** Starts `mk8s run` with the webhook as sink. */
    start(): Promise<void>;
    kill(signal?: NodeJS.Signals): Promise<Exit>;
    pid(): number;
    /** What the current one has logged. */
    log(): string;
  };
  /** `mk8s tail --follow` of one subscription, restarted by the test; its lines over all its lives. */
  readonly tail: { readonly arrivals: Arrivals; start(): void; kill(): Promise<void> };
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
): Promise<BridgeWorld> {
  const folder = await temporaryFolder();
  const kubeconfig = join(folder.path, 'kubeconfig');
  const data = join(folder.path, 'data');
  await writeFile(kubeconfig, kubeconfigText(Object.fromEntries(clusters.map((each) => [each.name, each.endpoint]))));
  const ids = new Map<TestCluster, string>();
  for (const cluster of clusters) {
    await createNamespaces(cluster.client, ['team-a', 'team-b']);
    for (const resource of resources) await createCrd(cluster.client, resource);
    const { uid = '' } = (await cluster.client.call('GET', '/api/v1/namespaces/kube-system')).metadata;
    ids.set(cluster, uid);
  }

  const webhook = createArrivals('the webhook');
  const receiver = await startWebhookReceiver((request, response) => {
    // Now and then it is overloaded: the batch has to come again.
    if (random() < 0.03) {
      response.writeHead(503).end();
      return;
    }
    webhook.take(eventOf(request));
    response.writeHead(204).end();
  });
  const runFlags = ['run', '--source', 'kubeconfig', '--kubeconfig', kubeconfig, '--data', data, '--view', 'log'];
  const sink = ['--sink', `${receiver.url}/events`];
  let running: RunningProcess | undefined;

  const arrivals = createArrivals('the tail');
  const tailFlags = [
    'tail',
    '--data',
    data,
    '--subscription',
    'watcher',
    '--from',
    'beginning',
    '--follow',
    '-o',
    'cloudevents',
  ];
  let tailing: RunningProcess | undefined;
  const startTail = (): void => {
    tailing = startMk8s(tailFlags, { onLine: (line) => arrivals.take(JSON.parse(line) as FeedEvent) });
  };

  const stateOf = async (cluster: TestCluster): Promise<State> => {
    const parts = await Promise.all(
      resources.map(async (resource) => {
        const { status } = await cluster.client.request('GET', `${resourcePath(resource)}?limit=1`);
        const objects = status === 404 ? [] : await listAll(cluster.client, resourcePath(resource));
        return [...serverState(ids.get(cluster) ?? '', `${resource.plural}.${resource.group}`, objects)];
      }),
    );
    return new Map(parts.flat());
  };

  /** The servers' present; of clusters that are not asked, what the subscriber has. */
  const expected = async (asked: readonly TestCluster[], has: State): Promise<State> => {
    const known = new Set(asked.map((cluster) => ids.get(cluster)));
    const rest = [...has].filter(([key]) => !known.has(key.split(' ')[0]));
    return new Map([...rest, ...(await Promise.all(asked.map(stateOf))).flatMap((state) => [...state])]);
  };

  async function settled(asked: readonly TestCluster[] = clusters): Promise<void> {
    try {
      const servers = await expected(asked, arrivals.result.state);
      await arrivals.reach(servers);
      await webhook.reach(servers);
    } catch (error) {
      const said = `\n--- run:\n${running?.stdout().slice(-6000)}\n${running?.stderr().slice(-3000)}\n--- tail:\n${tailing?.stderr().slice(-2000)}`;
      throw new Error(`${(error as Error).message}${said}`, { cause: error });
    }
  }

  async function feed(): Promise<FeedEvent[]> {
    const events: FeedEvent[] = [];
    await using reader = startMk8s(['tail', '--data', data, '--from', 'beginning', '-o', 'cloudevents'], {
      onLine: (line) => events.push(JSON.parse(line) as FeedEvent),
    });
    const { code } = await reader.exit;
    if (code !== 0) throw new Error(`mk8s tail ended with ${code}: ${reader.stderr()}`);
    return events;
  }

  async function status(): Promise<StreamRow[]> {
    const { code, stdout, stderr } = await runMk8s(['status', '--data', data, '-o', 'json']);
    if (code !== 0) throw new Error(`mk8s status ended with ${code}: ${stderr}`);
    return (JSON.parse(stdout) as { streams: StreamRow[] }).streams;
  }

  return {
    run: {
      async start() {
        running = startMk8s([...runFlags, ...sink]);
        if (tailing !== undefined) return;
        // The folder is there once something was published from it.
        await webhook.more(1);
        startTail();
      },
      kill: (signal) => running?.kill(signal) ?? Promise.reject(new Error('no run was started')),
      pid: () => running?.pid ?? 0,
      log: () => running?.stdout() ?? '',
    },
    tail: { arrivals, start: startTail, kill: async () => void (await tailing?.kill()) },
    webhook,
    settled,
    runOnce: (flags) => runMk8s([...runFlags, ...sink, ...flags]),
    feed,
    differences: async (events) => compareStates(materialise(events).state, await expected(clusters, new Map())),
    origins: async () => new Set((await feed()).map(({ origin }) => origin)),
    status,
    epochs: async (cluster) =>
      new Set((await feed()).filter((event) => event.cluster === ids.get(cluster)).map(({ epoch }) => Number(epoch))),
    async checkSubscribers() {
      const whole = materialise(await feed());
      const faults = [
        ...whole.faults.map((fault) => `feed: ${fault}`),
        ...arrivals.result.faults.map((fault) => `tail: ${fault}`),
        ...webhook.result.faults.map((fault) => `webhook: ${fault}`),
        ...[...arrivals.result.ids.keys()]
          .filter((id) => !whole.ids.has(id))
          .map((id) => `tail: ${id} is not in the feed`),
        ...[...webhook.result.ids.keys()]
          .filter((id) => !whole.ids.has(id))
          .map((id) => `webhook: ${id} cannot be read`),
        ...[...whole.ids.keys()].filter((id) => !webhook.result.ids.has(id)).map((id) => `webhook: ${id} never came`),
        ...[...whole.ids.keys()].filter((id) => !arrivals.result.ids.has(id)).map((id) => `tail: ${id} never came`),
        ...(whole.redelivered === 0 ? [] : [`feed: ${whole.redelivered} changes are recorded twice`]),
      ];
      if (faults.length > 0) throw new Error(faults.slice(0, 20).join('\n'));
    },
    async [Symbol.asyncDispose]() {
      await running?.kill();
      await tailing?.kill();
      await receiver[Symbol.asyncDispose]();
      for (const cluster of clusters) await cluster[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

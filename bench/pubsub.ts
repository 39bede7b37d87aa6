// What ordering costs on Pub/Sub: lanes (ours) against a key per object and against none, of the same changes, in turn. The
// sink of the product publishes batches as the bridge makes them, one after the other, to Google's emulator; then the same
// with a subscriber. The emulator is one process on this machine, not production: it has no network and no limits per key.
// `npm run bench -- --only pubsub`
import { PubSub } from '@google-cloud/pubsub';
import { OAuth2Client } from 'google-auth-library';
import { LANES, laneKeys, type OrderingKey } from '../lib/adapters/google/pubsub-lanes.ts';
import { openPubsubSink } from '../lib/adapters/google/pubsub-sink.ts';
import type { Revision } from '../lib/model/revision.ts';
import { objectKey } from '../lib/model/revision.ts';
import { clusterId } from '../lib/model/stream.ts';
import { noPubsubEmulator, startPubsubEmulator } from '../test/support/pubsub-emulator.ts';
import { seededRandom } from '../test/support/seeded-random.ts';
import { benchChange } from './log-changes.ts';
import { type BenchOptions, type BenchRow, benchRow, formatRow } from './report.ts';

/** Of one run, in batches as lib/bridge/publisher.ts makes them: 1 MiB, which is about 300 of these. */
const CHANGES = 3_000;
const BATCH = 300;
const OBJECTS = 2_000;

const stream = { cluster: clusterId('bench'), group: 'gateway.networking.k8s.io', plural: 'httproutes', selector: {} };

const ways: Readonly<Record<string, OrderingKey>> = {
  [`${LANES} lanes`]: laneKeys(LANES),
  'a key per object': ({ namespace, name }) => objectKey(namespace, name),
  'no ordering': () => '',
  '4 lanes': laneKeys(4),
  '64 lanes': laneKeys(64),
};

/** Changes a second. */
interface Figures {
  readonly published: number;
  readonly publishedCpu: number;
  readonly received: number;
}

export async function benchPubsub({ runs = 5, log = () => {} }: BenchOptions = {}): Promise<BenchRow[]> {
  if (noPubsubEmulator !== undefined) throw new Error(noPubsubEmulator);
  const figures = Object.fromEntries(Object.keys(ways).map((name) => [name, [] as Figures[]]));
  const batches = makeBatches();
  const names = Object.keys(ways);
  for (let round = 0; round < runs; round += 1) {
    // A new one for each round: it keeps what was published, deleted topics too, and after some hundred MB only collects garbage.
    await using emulator = await startPubsubEmulator();
    // Everybody is first, second, … in turn; what comes before the figures warms up both sides.
    const order = [...names.slice(round % names.length), ...names.slice(0, round % names.length)];
    for (const counts of [false, true]) {
      for (const name of order) {
        const topic = `${counts ? 'run' : 'warm-up'}-${name.replaceAll(' ', '-')}`;
        const one = await measure(
          emulator.host,
          topic,
          ways[name] ?? laneKeys(LANES),
          counts ? batches : batches.slice(0, 2),
        );
        if (!counts) continue;
        figures[name]?.push(one);
        log(`pubsub, run ${round + 1} of ${runs}, ${name}: ${JSON.stringify(one)}`);
      }
    }
  }
  const [ours = '', ...peers] = names;
  const row = (what: string, unit: string, figure: keyof Figures) => (peer: string) =>
    benchRow({
      what: `pubsub: ${what}, ${ours}`,
      unit,
      ours: (figures[ours] ?? []).map((one) => one[figure]),
      peer: { name: peer, runs: (figures[peer] ?? []).map((one) => one[figure]) },
    });
  return [
    ...peers.map(row('publish', 'changes/s', 'published')),
    ...peers.map(row('publish', 'changes/s of CPU', 'publishedCpu')),
    ...peers.map(row('publish and receive', 'changes/s', 'received')),
  ];
}

async function measure(
  host: string,
  topic: string,
  orderingKey: OrderingKey,
  batches: readonly (readonly Revision[])[],
): Promise<Figures> {
  const pubsub = new PubSub({
    projectId: 'project-1',
    apiEndpoint: host,
    emulatorMode: true,
    authClient: new OAuth2Client(),
  });
  await pubsub.createTopic(topic);
  const sink = await openPubsubSink({
    target: `pubsub://project-1/${topic}`,
    tokens: undefined,
    endpoint: { host, insecure: true },
    warn: (sentence) => void process.stderr.write(`${sentence}\n`),
    signal: never,
    orderingKey,
  });
  const changes = batches.flat().length;
  const publish = async (): Promise<void> => {
    for (const batch of batches) await sink.publish(batch, never);
  };
  const cpuBefore = process.cpuUsage();
  const before = performance.now();
  await publish();
  const wall = performance.now() - before;
  const { user, system } = process.cpuUsage(cpuBefore);

  const enableMessageOrdering = orderingKey(first(batches)) !== '';
  await pubsub.topic(topic).createSubscription(topic, { enableMessageOrdering, ackDeadlineSeconds: 60 });
  const subscription = pubsub.subscription(topic, { flowControl: { maxMessages: 5_000 } });
  const all = Promise.withResolvers<void>();
  let received = 0;
  subscription.on('error', all.reject);
  subscription.on('message', (message) => {
    message.ack();
    received += 1;
    if (received === changes) all.resolve();
  });
  const began = performance.now();
  await Promise.all([publish(), all.promise]);
  const both = performance.now() - began;

  await subscription.close();
  await pubsub.subscription(topic).delete();
  await pubsub.topic(topic).delete();
  await sink.close();
  await pubsub.close();
  const perSecond = (ms: number): number => changes / (ms / 1000);
  return { published: perSecond(wall), publishedCpu: perSecond((user + system) / 1000), received: perSecond(both) };
}

const never = new AbortController().signal;

function first(batches: readonly (readonly Revision[])[]): Revision {
  const revision = batches[0]?.[0];
  if (revision === undefined) throw new RangeError('there are no changes');
  return revision;
}

/** Random updates of OBJECTS objects of 3.4 KB. */
function makeBatches(): readonly (readonly Revision[])[] {
  const random = seededRandom(1);
  const revisions = Array.from({ length: CHANGES }, (_, index): Revision => {
    const sequence = index + 1;
    const observed = benchChange(Math.floor(random() * OBJECTS), OBJECTS + sequence);
    return { ...observed, stream, epoch: 1, sequence, position: sequence, previous: 0 };
  });
  return Array.from({ length: CHANGES / BATCH }, (_, at) => revisions.slice(at * BATCH, (at + 1) * BATCH));
}

if (import.meta.main) {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  for (const row of await benchPubsub({ runs: Number(process.argv[2] ?? 5), log: say })) say(formatRow(row));
}

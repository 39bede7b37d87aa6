// `npm run demo:google [-- --seconds 30]`: the production wiring on a laptop. The scheduled job (functions/job.ts) as it runs on
// Cloud Run, with a Google Cloud project on loopback around it: tokens of a metadata server, clusters that GKE and GKE Hub
// name, watches through Connect Gateway, revisions in Firestore, changes on Pub/Sub. The clusters are sandboxes; Firestore and
// Pub/Sub are Google's emulators. Prints what a subscriber gets, and at the end the job's report and what its status says.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startSandbox } from '../../lib/sandbox/sandbox.ts';
import { clusterClient } from '../support/cluster-client.ts';
import { createCrd, createNamespaces, type TestResource } from '../support/crd.ts';
import { startFakeFleet } from '../support/fake-fleet.ts';
import { noFirestoreEmulator } from '../support/firestore-emulator.ts';
import { startGoogleEmulators } from '../support/google-home.ts';
import type { FeedEvent } from '../support/materialise.ts';
import { runMk8s, startProcess } from '../support/process.ts';
import { noPubsubEmulator } from '../support/pubsub-emulator.ts';
import { listenOnEmulator, makeTopic } from '../support/pubsub-subscriber.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { workload } from '../support/workload.ts';

const TOKEN = `demo-${randomUUID()}`;
const routes: TestResource = {
  group: 'example.com',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
};
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '30' } } });
const seconds = Number(values.seconds);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const missing = noFirestoreEmulator ?? noPubsubEmulator;
if (missing !== undefined) {
  say(`Cannot show Google's stores: ${missing}.`);
  process.exit(1);
}
if (!(seconds >= 1)) {
  say(`--seconds must be a number from 1, not "${values.seconds}"`);
  process.exit(2);
}

say('Starting Firestore, Pub/Sub, three clusters, and the rest of Google Cloud …');
await using emulators = await startGoogleEmulators();
const [shop, bank, edge] = await Promise.all(
  ['shop', 'bank', 'edge'].map((name) => startSandbox({ name, token: TOKEN })),
);
if (shop === undefined || bank === undefined || edge === undefined) throw new Error('three clusters were started');
await using fleet = await startFakeFleet(TOKEN, {
  clusters: [
    { name: 'shop', location: 'us-central1', target: shop, labels: { env: 'prod' } },
    { name: 'bank', location: 'europe-west1', target: bank, labels: { env: 'prod' } },
    { name: 'next', location: 'us-east1', status: 'PROVISIONING' },
  ],
  memberships: [
    { name: 'shop', location: 'us-central1', gke: 'shop', target: shop },
    { name: 'edge', location: 'global', target: edge },
  ],
});
const topic = 'changes';
await makeTopic(emulators.pubsub.host, topic);
const env = {
  ...fleet.env,
  FIRESTORE_EMULATOR_HOST: emulators.firestore.host,
  PUBSUB_EMULATOR_HOST: emulators.pubsub.host,
  MK8S_SOURCE: 'gke,fleet',
  MK8S_STORE: 'firestore://project-1/mk8s',
  MK8S_SINKS: `pubsub://project-1/${topic}`,
  MK8S_DEADLINE: `${seconds}s`,
  CLOUD_RUN_TASK_INDEX: '0',
  CLOUD_RUN_TASK_COUNT: '1',
};

const { stdout } = await runMk8s(['clusters', '--source', 'gke,fleet'], { env });
say(`\n$ mk8s clusters --source gke,fleet\n${stdout}`);

const clients = [shop, bank, edge].map(({ url, ca }) => clusterClient({ url, ca, token: TOKEN }));
for (const client of clients) {
  await createNamespaces(client, ['team-a', 'team-b']);
  await createCrd(client, routes);
}
const random = seededRandom(1);
const writers = clients.map((client) =>
  workload(client, { seed: Math.floor(random() * 2 ** 31), resources: [routes] }),
);
await Promise.all(writers.map((writer) => writer.run(10)));

let received = 0;
await using _listening = listenOnEmulator(emulators.pubsub.host, topic, (event: FeedEvent) => {
  received += 1;
  if (received <= 12 || received % 500 === 0) {
    const { type, resource, namespace = '', name, cluster, origin } = event;
    say(
      `Pub/Sub ${received}: ${type.split('.').at(-1)} ${resource} ${namespace}/${name} of ${cluster.slice(0, 8)} (${origin})`,
    );
  }
});
say(`\n$ node functions/job.ts    # for ${seconds} s`);
const entry = join(import.meta.dirname, '../../functions/job.ts');
await using job = startProcess(process.execPath, [entry], { env, onLine: say });
const over = new AbortController();
const ended = job.exit.then(() => over.abort());
while (!over.signal.aborted) await Promise.all(writers.map((writer) => writer.run(3)));
await ended;

const status = await runMk8s(['status', '--store', env.MK8S_STORE], { env });
say(`\n$ mk8s status --store ${env.MK8S_STORE}\n${status.stdout}`);
say(`A subscriber got ${received} changes; ${fleet.forwarded.length} requests went through Connect Gateway.`);
for (const client of clients) await client[Symbol.asyncDispose]();
await Promise.all([shop, bank, edge].map((sandbox) => sandbox.stop()));

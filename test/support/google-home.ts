// Where a bridge keeps its record on Google Cloud: Firestore, with a subscriber of Pub/Sub. Both are Google's emulators.
import { randomUUID } from 'node:crypto';
import { firestoreDocuments } from '../../lib/adapters/firestore/firestore-documents.ts';
import { openFirestoreStore } from '../../lib/adapters/firestore/firestore-store.ts';
import { cloudEventJson } from '../../lib/model/cloud-event.ts';
import { createArrivals } from './arrivals.ts';
import type { BridgeHome } from './bridge-home.ts';
import { readStatus } from './feed-commands.ts';
import { type FirestoreEmulator, startFirestoreEmulator } from './firestore-emulator.ts';
import type { FeedEvent } from './materialise.ts';
import { type PubsubEmulator, startPubsubEmulator } from './pubsub-emulator.ts';
import { listenOnEmulator, makeTopic } from './pubsub-subscriber.ts';

export interface GoogleEmulators extends AsyncDisposable {
  readonly firestore: FirestoreEmulator;
  readonly pubsub: PubsubEmulator;
}

export async function startGoogleEmulators(): Promise<GoogleEmulators> {
  const [firestore, pubsub] = await Promise.all([startFirestoreEmulator(), startPubsubEmulator()]);
  return {
    firestore,
    pubsub,
    async [Symbol.asyncDispose]() {
      await Promise.all([firestore[Symbol.asyncDispose](), pubsub[Symbol.asyncDispose]()]);
    },
  };
}

/** `folder` is for what else a run wants to keep there. The emulators have to outlive it. */
export async function googleHome(folder: string, { firestore, pubsub }: GoogleEmulators): Promise<BridgeHome> {
  const project = 'project-1';
  const database = `d-${randomUUID()}`;
  const topic = `t-${randomUUID()}`;
  await makeTopic(pubsub.host, topic);
  const arrivals = createArrivals('the subscriber');
  const store = `firestore://${project}/${database}`;
  const env = {
    FIRESTORE_EMULATOR_HOST: firestore.host,
    PUBSUB_EMULATOR_HOST: pubsub.host,
    METADATA_SERVER_DETECTION: 'none',
  };
  let listening: AsyncDisposable | undefined;

  /** As anybody may read it who has the database. */
  async function feed(): Promise<FeedEvent[]> {
    process.env['FIRESTORE_EMULATOR_HOST'] = firestore.host;
    const documents = firestoreDocuments({ project, database });
    const clock = { now: Date.now, sleep: () => Promise.resolve() };
    const store = openFirestoreStore({ documents, clock, host: 'reader', isAlive: () => true });
    try {
      const streams = await store.log.streams();
      const all = await Promise.all(streams.map((ref) => store.log.read(ref, 0, { changes: 1e9, bytes: 1e12 })));
      const ordered = all.flat().toSorted((a, b) => a.position - b.position);
      return ordered.map((revision) => JSON.parse(cloudEventJson(revision)) as FeedEvent);
    } finally {
      await store.close();
    }
  }

  return {
    flags: ['--data', `${folder}/data`, '--store', store, '--sink', `pubsub://${project}/${topic}`],
    env,
    subscriber: {
      arrivals,
      async start() {
        listening ??= listenOnEmulator(pubsub.host, topic, (event) => arrivals.take(event));
      },
      // It goes on. What a subscriber that died gets again, and in which order, is for Pub/Sub to keep; its emulator gives the
      // changes that were on their way after those that came later.
      kill: () => Promise.resolve(),
      said: () => '',
    },
    feed,
    status: () => readStatus(['--store', store], env),
    async [Symbol.asyncDispose]() {
      await listening?.[Symbol.asyncDispose]();
    },
  };
}

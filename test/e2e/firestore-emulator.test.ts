// The Firestore store keeps its contracts over Google's library and Google's emulator, too.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, vi } from 'vitest';
import { firestoreDocuments } from '../../lib/adapters/firestore/firestore-documents.ts';
import { openFirestoreStore } from '../../lib/adapters/firestore/firestore-store.ts';
import { describeCheckpointStore } from '../contract/checkpoint-store.ts';
import { describeDeadLetterStore } from '../contract/dead-letter-store.ts';
import { describeInventoryStore } from '../contract/inventory-store.ts';
import { describeLeaseStore, type LeaseWorld } from '../contract/lease-store.ts';
import { describeRevisionLog } from '../contract/revision-log.ts';
import { describeStatusStore } from '../contract/status-store.ts';
import { type FirestoreEmulator, noFirestoreEmulator, startFirestoreEmulator } from '../support/firestore-emulator.ts';
import { createManualClock } from '../support/manual-clock.ts';

describe.skipIf(noFirestoreEmulator !== undefined)(`on Google's emulator (${noFirestoreEmulator ?? 'found'})`, () => {
  let emulator: FirestoreEmulator;
  beforeAll(async () => {
    emulator = await startFirestoreEmulator();
    vi.stubEnv('FIRESTORE_EMULATOR_HOST', emulator.host);
    vi.stubEnv('METADATA_SERVER_DETECTION', 'none');
  }, 150_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await emulator[Symbol.asyncDispose]();
  });

  /** Each in a project of its own: the emulator keeps them apart. */
  const make = (world: LeaseWorld = { host: 'here', isAlive: () => true }) => {
    const clock = createManualClock();
    const hasty = { now: () => clock.now(), sleep: () => Promise.resolve() };
    const documents = firestoreDocuments({ project: `p-${randomUUID()}`, database: '(default)' });
    return Promise.resolve({ ...openFirestoreStore({ documents, clock: hasty, ...world }), clock });
  };

  describeRevisionLog('in Firestore', make);
  describeCheckpointStore('in Firestore', make);
  describeDeadLetterStore('in Firestore', make);
  describeStatusStore('in Firestore', make);
  describeLeaseStore('in Firestore', make);
  describeInventoryStore('in Firestore', make);
});

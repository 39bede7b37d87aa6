// The Firestore store keeps the contracts of the store ports, over documents in memory that behave as Firestore's.
import { openFirestoreStore } from '../../../lib/adapters/firestore/firestore-store.ts';
import { describeCheckpointStore } from '../../contract/checkpoint-store.ts';
import { describeDeadLetterStore } from '../../contract/dead-letter-store.ts';
import { describeInventoryStore } from '../../contract/inventory-store.ts';
import { describeLeaseStore, type LeaseWorld } from '../../contract/lease-store.ts';
import { describeRevisionLog } from '../../contract/revision-log.ts';
import { describeStatusStore } from '../../contract/status-store.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createMemoryDatabase } from '../../support/memory-documents.ts';

const make = (world: LeaseWorld = { host: 'here', isAlive: () => true }) => {
  const clock = createManualClock();
  const hasty = { now: () => clock.now(), sleep: () => Promise.resolve() };
  const store = openFirestoreStore({ documents: createMemoryDatabase().open(), clock: hasty, ...world });
  return Promise.resolve({ ...store, clock });
};

describeRevisionLog('in Firestore', make);
describeCheckpointStore('in Firestore', make);
describeDeadLetterStore('in Firestore', make);
describeStatusStore('in Firestore', make);
describeLeaseStore('in Firestore', make);
describeInventoryStore('in Firestore', make);

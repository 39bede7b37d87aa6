// Everything that a run keeps, in one Firestore database. Layout and costs: docs/firestore.md.
import { randomBytes } from 'node:crypto';
import type { CheckpointStore } from '../../ports/checkpoint-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetterStore } from '../../ports/event-sink.ts';
import type { InventoryStore } from '../../ports/inventory-store.ts';
import type { LeaseStore, Machine } from '../../ports/lease-store.ts';
import type { Retention } from '../../ports/retention.ts';
import type { RevisionLog } from '../../ports/revision-log.ts';
import type { StatusStore } from '../../ports/status-store.ts';
import type { Documents } from './documents.ts';
import { firestoreDeadLetters } from './firestore-dead-letters.ts';
import { firestoreInventory } from './firestore-inventory.ts';
import { firestoreLeases } from './firestore-leases.ts';
import { firestoreCheckpoints, firestoreLog } from './firestore-log.ts';
import { firestoreRetention } from './firestore-retention.ts';
import { firestoreStatus } from './firestore-status.ts';
import type { FoldLimits } from './folding.ts';
import { readFrames } from './frames.ts';
import { createJournal } from './journal.ts';
import { createPages } from './pages.ts';

export interface FirestoreStore extends Retention {
  readonly log: RevisionLog;
  readonly checkpoints: CheckpointStore;
  readonly leases: LeaseStore;
  readonly status: StatusStore;
  readonly deadLetters: DeadLetterStore;
  readonly inventory: InventoryStore;
  /** Waits for what is on its way. Does not release leases. */
  close(): Promise<void>;
}

export interface FirestoreStoreOptions extends Machine {
  readonly documents: Documents;
  readonly clock: Clock;
  /** Which part of the work this process does, e.g. `0-of-4`. */
  readonly share?: string;
  /** A new name that nobody else has. Default: 128 random bits. */
  readonly makeId?: () => string;
  /**
   * When last states are folded, how many make a page, and how often retention walks (milliseconds); for tests. Default: as
   * docs/firestore.md says.
   */
  readonly limits?: FoldLimits & { readonly page: number; readonly walkMs?: number };
}

/** Opens it; nothing is read or written yet. Memory: about 20 MB of last states, whatever the number of objects. */
export function openFirestoreStore({
  documents,
  clock,
  share = '0-of-1',
  makeId = () => randomBytes(16).toString('base64url'),
  limits,
  ...machine
}: FirestoreStoreOptions): FirestoreStore {
  const frames = readFrames(documents);
  const pages = createPages(documents, makeId, limits?.page);
  const journal = createJournal({ documents, frames, pages, clock, makeId, ...(limits && { limits }) });
  return {
    log: firestoreLog({ documents, journal, frames, pages }),
    checkpoints: firestoreCheckpoints({ journal }),
    leases: firestoreLeases(documents, clock, machine),
    status: firestoreStatus(documents, clock, share),
    deadLetters: firestoreDeadLetters(documents),
    inventory: firestoreInventory(documents),
    retain: firestoreRetention({ documents, journal, pages, clock, everyMs: limits?.walkMs }),
    async close() {
      await journal.close();
      await documents.close();
    },
  };
}

// The in-memory store keeps the same contracts as the real ones.
import { describeCheckpointStore } from '../../contract/checkpoint-store.ts';
import { describeDeadLetterStore } from '../../contract/dead-letter-store.ts';
import { describeFeed } from '../../contract/feed.ts';
import { describeInventoryStore } from '../../contract/inventory-store.ts';
import { describeLeaseStore } from '../../contract/lease-store.ts';
import { describeRevisionLog } from '../../contract/revision-log.ts';
import { describeStatusStore } from '../../contract/status-store.ts';
import { describeSubscriptionStore } from '../../contract/subscription-store.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

const make = async () => createMemoryStore(createManualClock());

describeRevisionLog('in memory', make);
describeFeed('in memory', make);
describeCheckpointStore('in memory', make);
describeDeadLetterStore('in memory', make);
describeStatusStore('in memory', make);
describeInventoryStore('in memory', make);
describeSubscriptionStore('in memory', async () => {
  const clock = createManualClock();
  return { ...createMemoryStore(clock), clock };
});
describeLeaseStore('in memory', async (world) => {
  const clock = createManualClock();
  return { ...createMemoryStore(clock, world), clock };
});

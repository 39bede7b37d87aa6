// The data folder keeps the contracts of every store port.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataFolder } from '../../../lib/adapters/disk/data-folder.ts';
import { describeCheckpointStore } from '../../contract/checkpoint-store.ts';
import { describeDeadLetterStore } from '../../contract/dead-letter-store.ts';
import { describeFeed } from '../../contract/feed.ts';
import { describeInventoryStore } from '../../contract/inventory-store.ts';
import { describeLeaseStore } from '../../contract/lease-store.ts';
import { describeRevisionLog } from '../../contract/revision-log.ts';
import { describeStatusStore } from '../../contract/status-store.ts';
import { describeSubscriptionStore } from '../../contract/subscription-store.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const make = async (world: { host: string; isAlive?: (pid: number) => boolean } = { host: 'here' }) => {
  const clock = createManualClock();
  const path = mkdtempSync(join(tmpdir(), 'mk8s-disk-'));
  const folder = openDataFolder({ path, clock, ...world });
  const close = async () => {
    await folder.close();
    rmSync(path, { recursive: true });
  };
  return { ...folder, clock, close };
};

describeRevisionLog('on disk', make);
describeFeed('on disk', make);
describeCheckpointStore('on disk', make);
describeDeadLetterStore('on disk', make);
describeStatusStore('on disk', make);
describeInventoryStore('on disk', make);
describeSubscriptionStore('on disk', make);
describeLeaseStore('on disk', make);

// A process of its own that works on a data folder, told what to do by its arguments. Started by tests with `spawnDisk`.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openDataFolder } from '../../lib/adapters/disk/data-folder.ts';
import { systemClock } from '../../lib/async/system-clock.ts';
import { change, testStream } from './changes.ts';

/**
 * - `append`: appends batches to the stream of this plural for ever, or `batches` times, and says after each which
 *   sequence number is durable.
 * - `open`: opens the folder, says `opened` or the error, and ends.
 * - `lease`: takes the lease `name`, says its fence, and waits.
 */
export type DiskTask =
  | { readonly do: 'append'; readonly path: string; readonly plural: string; readonly batches: number }
  | { readonly do: 'open'; readonly path: string; readonly readOnly: boolean }
  | { readonly do: 'lease'; readonly path: string; readonly name: string };

export interface DiskProcess {
  readonly child: ChildProcess;
  /** What it says, line by line. */
  readonly lines: AsyncIterator<string>;
  readonly ended: Promise<unknown>;
}

/** `user`: numeric id to run as; only root may ask for that. */
export function spawnDisk(task: DiskTask, user?: number): DiskProcess {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, lines, ended: once(child, 'exit') };
}

async function main(task: DiskTask): Promise<void> {
  const readOnly = task.do === 'open' && task.readOnly;
  try {
    const folder = openDataFolder({ path: task.path, clock: systemClock, host: hostname(), readOnly });
    if (task.do === 'open') {
      await folder.log.streams();
      console.log('opened');
      await folder.close();
    } else if (task.do === 'lease') {
      const holder = { id: 'child', description: 'a child', host: hostname(), pid: process.pid };
      const taken = await folder.leases.acquire(task.name, holder, 3_600_000);
      console.log(taken.acquired ? taken.lease.fence : 'refused');
      setInterval(() => {}, 1000);
    } else {
      for (let batch = 0; batch < task.batches; batch++) {
        const changes = Array.from({ length: 7 }, (_, i) => change(`o${(batch * 7 + i) % 500}`, batch * 7 + i + 1));
        const recorded = await folder.log.append(testStream(task.plural), { fence: 1, epoch: 1, changes });
        console.log(recorded.at(-1)?.sequence);
      }
      await folder.close();
    }
  } catch (error) {
    console.log(error instanceof Error ? error.message : error);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(JSON.parse(process.argv[2] ?? '') as DiskTask);

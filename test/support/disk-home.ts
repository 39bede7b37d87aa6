// Where a bridge keeps its record: a data folder, with `mk8s tail` as its subscriber.
import { join } from 'node:path';
import { createArrivals } from './arrivals.ts';
import type { BridgeHome } from './bridge-home.ts';
import { readFeed, readStatus } from './feed-commands.ts';
import type { FeedEvent } from './materialise.ts';
import { type RunningProcess, startMk8s } from './process.ts';

const subscribed = ['--subscription', 'watcher', '--from', 'beginning', '--follow', '-o', 'cloudevents'];

export function diskHome(folder: string): Promise<BridgeHome> {
  const data = join(folder, 'data');
  const arrivals = createArrivals('the tail');
  let tailing: RunningProcess | undefined;
  return Promise.resolve({
    flags: ['--data', data],
    env: {},
    subscriber: {
      arrivals,
      start() {
        const flags = ['tail', '--data', data, ...subscribed];
        tailing = startMk8s(flags, { onLine: (line) => arrivals.take(JSON.parse(line) as FeedEvent) });
        return Promise.resolve();
      },
      kill: async () => void (await tailing?.kill()),
      said: () => tailing?.stderr().slice(-2000) ?? '',
    },
    feed: () => readFeed(data),
    status: () => readStatus(['--data', data]),
    [Symbol.asyncDispose]: async () => void (await tailing?.kill()),
  });
}

// The istio source, composed: it reads Secrets of clusters that other sources name.
import { istioSource } from '../adapters/kubernetes/istio-source.ts';
import { createSemaphore } from '../async/semaphore.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import type { DefaultWish } from '../discover/default-cluster.ts';
import type { ClusterSource } from '../ports/cluster-source.ts';
import type { Context } from './context.ts';
import { openHomes } from './homes.ts';

interface IstioSources {
  readonly source: ClusterSource;
  close(): Promise<void>;
}

export function openIstioSource(
  config: Config,
  others: readonly ClusterSource[],
  wish: DefaultWish,
  { env }: Context,
): IstioSources {
  const homes = openHomes({
    others,
    contexts: config.istio.contexts,
    wish,
    attempt: 'look for Istio remote secrets',
    flag: '--istio-contexts',
  });
  return {
    source: istioSource({
      homes: (signal) => homes.find(signal),
      namespaces: config.istio.namespaces,
      untrusted: {
        allow: config.allowServers,
        env,
        now: () => systemClock.now(),
        // No plugin is ever run for these.
        processes: createSemaphore(1),
      },
      clock: systemClock,
      random: Math.random,
    }),
    close: () => homes.close(),
  };
}

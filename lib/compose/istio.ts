// The istio source, composed: it reads Secrets of clusters that other sources name.
import { type IstioHome, istioSource } from '../adapters/kubernetes/istio-source.ts';
import { createSemaphore } from '../async/semaphore.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import { Mk8sError } from '../model/errors.ts';
import { glob } from '../model/glob.ts';
import type { ClusterCandidate, ClusterSource } from '../ports/cluster-source.ts';
import type { Context } from './context.ts';

interface IstioSources {
  readonly source: ClusterSource;
  close(): Promise<void>;
}

/** `others` are read at each reading, so that the homes may come and go, too. */
export function openIstioSource(config: Config, others: readonly ClusterSource[], { env }: Context): IstioSources {
  const wanted = config.istio.contexts.map(glob);
  const opened = new Map<string, IstioHome>();

  function isHome({ name, isDefault, unavailable }: ClusterCandidate, all: readonly ClusterCandidate[]): boolean {
    if (unavailable !== undefined) return false;
    if (wanted.length > 0) return wanted.some((matches) => matches(name));
    return isDefault || all.length === 1;
  }

  async function homes(signal?: AbortSignal): Promise<readonly IstioHome[]> {
    const found = await Promise.all(others.map((source) => source.discover(signal)));
    const candidates = found.flatMap((answer) => answer.candidates);
    const chosen = candidates.filter((candidate) => isHome(candidate, candidates));
    if (chosen.length === 0) {
      throw new Mk8sError(
        'Cannot look for Istio remote secrets: no other source names a cluster to look in. Add one with --source, or name it with --istio-contexts',
        { code: 'config' },
      );
    }
    return chosen.map((candidate) => {
      const key = `${candidate.source}\n${candidate.name}\n${candidate.fingerprint}`;
      const home = opened.get(key) ?? { name: candidate.name, api: candidate.connect() };
      opened.set(key, home);
      return home;
    });
  }

  return {
    source: istioSource({
      homes,
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
    async close() {
      await Promise.all([...opened.values()].map(({ api }) => api.close()));
    },
  };
}

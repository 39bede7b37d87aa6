// The clusters in which objects tell of more clusters (istio, clusterprofile): of what other sources name, the default one or
// those that are configured.
import type { Home } from '../adapters/kubernetes/followed-places.ts';
import { chooseDefault, type DefaultWish } from '../discover/default-cluster.ts';
import { Mk8sError } from '../model/errors.ts';
import { glob } from '../model/glob.ts';
import type { ClusterSource } from '../ports/cluster-source.ts';

export interface HomesOptions {
  /** Read at each reading, so that the homes may come and go, too. */
  readonly others: readonly ClusterSource[];
  /** Names in which * stands for anything; none for the default cluster. */
  readonly contexts: readonly string[];
  readonly wish: DefaultWish;
  /** For the message where there is none: `look for Istio remote secrets`, and the flag that names homes. */
  readonly attempt: string;
  readonly flag: string;
}

export interface Homes {
  find(signal?: AbortSignal): Promise<readonly Home[]>;
  close(): Promise<void>;
}

export function openHomes({ others, contexts, wish, attempt, flag }: HomesOptions): Homes {
  const wanted = contexts.map(glob);
  const opened = new Map<string, Home>();
  return {
    async find(signal) {
      const found = await Promise.all(others.map((source) => source.discover(signal)));
      const candidates = found.flatMap((answer) => answer.candidates);
      const byDefault = chooseDefault(candidates, wish);
      const chosen = candidates.filter((candidate) => {
        if (candidate.unavailable !== undefined) return false;
        return wanted.length > 0 ? wanted.some((matches) => matches(candidate.name)) : candidate === byDefault;
      });
      if (chosen.length === 0) {
        throw new Mk8sError(
          `Cannot ${attempt}: no other source names a cluster to look in. Add one with --source, or name it with ${flag}`,
          { code: 'config' },
        );
      }
      return chosen.map((candidate) => {
        const key = `${candidate.source}\n${candidate.name}\n${candidate.fingerprint}`;
        const home = opened.get(key) ?? { name: candidate.name, api: candidate.connect() };
        opened.set(key, home);
        return home;
      });
    },
    async close() {
      await Promise.all([...opened.values()].map(({ api }) => api.close()));
    },
  };
}

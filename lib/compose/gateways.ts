// The quotas of gateways, composed: clusters whose sources say that they share a gateway share its quota.
import { gatewayOf } from '../adapters/google/connect-gateway.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import { createQuota, type QuotaLimits, type SharedQuota } from '../plan/quota.ts';
import type { ClusterSource } from '../ports/cluster-source.ts';

/** What one process may use of a gateway's quota: the tasks that share the streams share it, too. */
export function gatewayLimits({ gateway, shard }: Pick<Config, 'gateway' | 'shard'>): QuotaLimits {
  return {
    streams: Math.max(1, Math.floor(gateway.streams / shard.count)),
    requestsPerMinute: Math.max(1, Math.floor(gateway.requestsPerMinute / shard.count)),
  };
}

/**
 * Makes what a source names keep the quota of its gateway, if it is behind one: also what a kubeconfig of gcloud's names. Does
 * nothing to what keeps one already.
 */
export function gatewayKeeper(config: Pick<Config, 'gateway' | 'shard'>): (source: ClusterSource) => ClusterSource {
  const limits = gatewayLimits(config);
  const quotas = new Map<string, SharedQuota>();

  function quotaOf(gateway: string): SharedQuota {
    const known = quotas.get(gateway);
    if (known !== undefined) return known;
    const made = createQuota(gateway, limits, systemClock);
    quotas.set(gateway, made);
    return made;
  }

  return (source) => ({
    ...source,
    async discover(signal) {
      const { candidates, problems } = await source.discover(signal);
      return {
        problems,
        candidates: candidates.map((candidate) => {
          const gateway = candidate.gateway ?? gatewayOf(candidate.server);
          if (gateway === undefined) return candidate;
          return {
            ...candidate,
            connect() {
              const api = candidate.connect();
              return api.quota === undefined ? quotaOf(gateway).open(api) : api;
            },
          };
        }),
      };
    },
  });
}

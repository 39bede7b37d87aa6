// A gateway in front of a simulation's clusters, as one process meets it: it keeps its quota as lib/compose/gateways.ts has
// it, and who opens more streams than there are is told of.
import { createQuota } from '../../lib/plan/quota.ts';
import type { ClusterSource } from '../../lib/ports/cluster-source.ts';
import { meteredGateway } from '../support/metered-gateway.ts';
import type { SimProcess } from './process.ts';

/** What one process may use of a gateway. */
export interface GatewaySettings {
  readonly streams: number;
  readonly requestsPerMinute: number;
}

/** Candidates that name a gateway are reached through it. */
export function behindGateway(
  source: ClusterSource,
  settings: GatewaySettings,
  { clock }: SimProcess,
  onRefused: (why: string) => void,
): ClusterSource {
  // The rate is kept but for what has begun; that is no matter of life and death here.
  const gateway = meteredGateway(clock, { streams: settings.streams, requestsPerMinute: Number.POSITIVE_INFINITY });
  const quota = createQuota('the gateway', settings, clock);
  return {
    ...source,
    async discover(signal) {
      const { candidates, problems } = await source.discover(signal);
      for (const why of gateway.refused) onRefused(why);
      return {
        problems,
        candidates: candidates.map((candidate) =>
          candidate.gateway === undefined
            ? candidate
            : { ...candidate, connect: () => quota.open(gateway.forward(candidate.connect())) },
        ),
      };
    },
  };
}

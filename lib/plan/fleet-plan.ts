// What following a fleet amounts to, before anything is followed: streams, how they share what a gateway allows, how fresh
// they are, and how many requests that makes. Pure arithmetic; docs/plan.md shows it.
import type { QuotaLimits } from './quota.ts';
import { mostStreams, SLICE_SECONDS, type Slices, sliceStreams } from './slices.ts';

/** A cluster, and what of it is to be followed. */
export interface ClusterDemand {
  readonly name: string;
  /** Whose quota it shares; absent where it is reached directly. */
  readonly gateway?: string;
  /** Kinds of objects to be followed. */
  readonly resources: number;
  /** Of each task: how many of its streams it takes. */
  readonly streams: readonly number[];
}

export interface FleetPlan {
  readonly clusters: readonly ClusterPlan[];
  readonly ways: readonly WayPlan[];
  /** What does not fit and what would, in sentences. */
  readonly warnings: readonly string[];
}

interface ClusterPlan {
  readonly name: string;
  readonly way: string;
  readonly resources: number;
  readonly streams: number;
  readonly lagSeconds: Slices['lagSeconds'];
}

/** All clusters that are reached directly, or that share one gateway. Figures are of the busiest task where tasks differ. */
export interface WayPlan {
  /** `direct`, or the gateway's name. */
  readonly name: string;
  readonly clusters: number;
  readonly streams: number;
  /** Of each task. */
  readonly shards: readonly number[];
  /** What the gateway allows, of all tasks together. */
  readonly limits?: QuotaLimits;
  /** Watches that are open at a time, of all tasks. */
  readonly open: number;
  /** How long a watch is asked to last, seconds. */
  readonly watchSeconds: { readonly least: number; readonly most: number };
  /** From one turn of a stream to its next; absent where all are open all the time. */
  readonly turnSeconds?: number;
  readonly lagSeconds: Slices['lagSeconds'];
  readonly catchUpSeconds: number;
  /** Of all tasks, in steady state. */
  readonly requestsPerMinute: number;
  /** False where its quota cannot be kept, or where its streams come to their turn too rarely for an API server's memory. */
  readonly fits: boolean;
}

/** A watch where all are open, seconds (lib/watch/watch-context.ts). */
const USUAL = { least: 300, most: 600 };
/**
 * An API server remembers events for at least so long, seconds (eventFreshDuration in its watch_cache.go); of resources that
 * change seldom, much longer. What comes back later may be told 410, and is then compared by a list.
 */
const REMEMBERED_SECONDS = 75;
/** Requests a minute for a cluster beside its streams: its discovery (lib/bridge/follow-resources.ts), and who it is. */
const BESIDE = { direct: 4 + 2 / 5, gateway: 1 + 2 / 5 };
const DIRECT = 'direct';

/** `limits`: of each gateway, for all tasks together. */
export function planFleet(clusters: readonly ClusterDemand[], limits: QuotaLimits, tasks: number): FleetPlan {
  const groups = Map.groupBy(clusters, ({ gateway }) => gateway ?? DIRECT);
  const ways = [...groups]
    .toSorted(([a], [b]) => Number(b === DIRECT) - Number(a === DIRECT) || a.localeCompare(b, 'en', { numeric: true }))
    .map(([name, group]) => planWay(name, group, group[0]?.gateway === undefined ? undefined : limits, tasks));
  const byName = new Map(ways.map((way) => [way.name, way]));
  return {
    clusters: clusters.map(({ name, gateway = DIRECT, resources, streams }) => ({
      name,
      way: gateway,
      resources,
      streams: sum(streams),
      lagSeconds: byName.get(gateway)?.lagSeconds ?? { mean: 0, most: 0 },
    })),
    ways,
    warnings: ways.flatMap((way) => warningsOf(way, tasks)),
  };
}

function planWay(
  name: string,
  clusters: readonly ClusterDemand[],
  limits: QuotaLimits | undefined,
  tasks: number,
): WayPlan {
  const shards = Array.from({ length: tasks }, (_, task) => sum(clusters.map(({ streams }) => streams[task] ?? 0)));
  // As lib/compose/gateways.ts divides them.
  const places = limits === undefined ? Math.max(1, ...shards) : Math.max(1, Math.floor(limits.streams / tasks));
  const usual = (USUAL.least + USUAL.most) / 2;
  const slices = shards.map((streams) => sliceStreams(streams, places, usual));
  const slowest = slices.reduce((a, b) => (b.lagSeconds.most > a.lagSeconds.most ? b : a));
  // Each task looks at every cluster.
  const beside = clusters.length * tasks * (limits === undefined ? BESIDE.direct : BESIDE.gateway);
  const requestsPerMinute = sum(slices.map((each) => each.requestsPerMinute)) + beside;
  const keepsQuota = limits === undefined || (tasks <= limits.streams && requestsPerMinute <= limits.requestsPerMinute);
  const { turnSeconds, lagSeconds } = slowest;
  return {
    name,
    clusters: clusters.length,
    streams: sum(shards),
    shards,
    ...(limits === undefined ? {} : { limits }),
    open: sum(slices.map(({ open }) => open)),
    watchSeconds: turnSeconds === undefined ? USUAL : { least: SLICE_SECONDS, most: SLICE_SECONDS },
    ...(turnSeconds === undefined ? {} : { turnSeconds }),
    lagSeconds,
    catchUpSeconds: Math.max(...slices.map((each) => each.catchUpSeconds)),
    requestsPerMinute,
    fits: keepsQuota && (turnSeconds ?? 0) <= REMEMBERED_SECONDS,
  };
}

/** What does not fit, and what would. */
function warningsOf(way: WayPlan, tasks: number): string[] {
  const { name, limits, streams, clusters, turnSeconds, requestsPerMinute } = way;
  if (limits === undefined) return [];
  const warnings: string[] = [];
  if (tasks > limits.streams) {
    warnings.push(
      `${name} allows ${limits.streams} open streams, and ${tasks} tasks need at least one each: use at most ${limits.streams} tasks`,
    );
  }
  if (requestsPerMinute > limits.requestsPerMinute) {
    const perCluster = BESIDE.gateway * tasks;
    const fewer = Math.floor((limits.requestsPerMinute - (requestsPerMinute - clusters * perCluster)) / perCluster);
    const would =
      fewer > 0
        ? `at most ${fewer} clusters through it, or fewer tasks, would keep it`
        : 'nothing is left for clusters';
    warnings.push(
      `${name} allows ${limits.requestsPerMinute} requests a minute, and this makes about ${Math.round(requestsPerMinute)}: ${would}`,
    );
  }
  if (turnSeconds !== undefined && turnSeconds > REMEMBERED_SECONDS) {
    warnings.push(staleness(way, limits, turnSeconds));
  }
  return warnings;

  function staleness(of: WayPlan, { streams: places }: QuotaLimits, turn: number): string {
    const most = mostStreams(places, REMEMBERED_SECONDS);
    // Of average clusters.
    const together = Math.min(clusters, Math.floor((most * clusters) / streams));
    const perCluster = Math.floor(most / clusters);
    const remedies = [
      ...(together > 0 ? [`${Math.ceil(clusters / together)} fleet host projects instead of one`] : []),
      `direct endpoints (--source gke) for ${clusters - together} of its ${clusters} clusters`,
      ...(perCluster > 0 ? [`at most ${perCluster} resources a cluster (--resources)`] : []),
      `or, where that is fresh enough, --mode catch-up every ${spoken(Math.max(of.catchUpSeconds, turn))} or more`,
    ];
    return `${name}: its ${streams} streams share ${places} open ones, so each has its turn every ${spoken(turn)} only. API servers remember ${REMEMBERED_SECONDS} s for certain: what changes often is then compared by lists (a gap each time). What would fit: ${remedies.join('; ')}`;
  }
}

function spoken(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  if (seconds < 7_200) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3_600).toFixed(1)} h`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

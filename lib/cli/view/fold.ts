// Which streams are shown where not all have room: those that need a person's eye first, the quiet ones fold.
import type { StreamStatus } from '../../model/stream-status.ts';

export interface Group {
  readonly streams: readonly StreamStatus[];
}

export interface Folded {
  /** Indexes into the group's streams, ascending. */
  readonly shown: readonly number[];
  readonly hidden: readonly StreamStatus[];
}

const urgency = {
  retrying: 3,
  blocked: 3,
  parked: 3,
  syncing: 2,
  starting: 2,
  stopped: 1,
  queued: 0,
  watching: 0,
  ended: 0,
} as const;

/**
 * Chooses at most `room` lines among all groups' streams; a group that hides some needs one line to say so.
 * `activity` orders streams of the same urgency: the busiest first.
 */
export function fold(
  groups: readonly Group[],
  room: number,
  activity: (status: StreamStatus) => number,
): readonly Folded[] {
  const total = groups.reduce((sum, { streams }) => sum + streams.length, 0);
  if (total <= room) return groups.map(({ streams }) => ({ shown: streams.map((_, index) => index), hidden: [] }));
  const ranked = groups
    .flatMap(({ streams }, group) => streams.map((status, index) => ({ group, index, status })))
    .sort((a, b) => urgency[b.status.state] - urgency[a.status.state] || activity(b.status) - activity(a.status));
  // Assume every group hides something; a line that stays free does no harm.
  const chosen = ranked.slice(0, Math.max(0, room - groups.filter(({ streams }) => streams.length > 0).length));
  return groups.map(({ streams }, group) => {
    const shown = chosen.filter((entry) => entry.group === group).map(({ index }) => index);
    const visible = new Set(shown);
    return { shown: shown.sort((a, b) => a - b), hidden: streams.filter((_, index) => !visible.has(index)) };
  });
}

// The view of a run, as a pure function from what is known to lines of text. The driver is screen.ts.
import type { ClusterInfo } from '../../model/cluster.ts';
import type { StreamStatus } from '../../model/stream-status.ts';
import type { RunSnapshot } from '../engine.ts';
import { count, counted, rate, span } from '../text/numbers.ts';
import { fit, printable, widthOf } from '../text/width.ts';
import { type Folded, fold } from './fold.ts';
import { ratePerSecond, type Sample } from './rates.ts';
import {
  hasRoomForErrors,
  headingRow,
  layoutFor,
  type RowLayout,
  streamName,
  streamRow,
  troubleOf,
} from './stream-row.ts';
import { type Paint, painter } from './style.ts';

export interface RenderOptions {
  readonly width: number;
  readonly height: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly color: boolean;
  /** The data folder as the user would type it. */
  readonly data: string;
  /** The last things that a stage reported, oldest first. */
  readonly messages?: readonly string[];
}

/** At most `height` lines, none wider than `width` columns, joined by newlines. `before` is a sample some seconds old. */
export function renderRun(snapshot: RunSnapshot, before: Sample | undefined, options: RenderOptions): string {
  const { width, height, now, color } = options;
  const paint = painter(color);
  const head = header(snapshot, before, options, paint);
  const layout = layoutFor(width, Math.max(8, ...snapshot.streams.map((status) => widthOf(streamName(status)))));
  const notes = footer(snapshot, layout, options, Math.max(0, Math.min(6, height - head.length - 4)), paint);
  const room = height - head.length - notes.length;
  const body = streamLines(snapshot, before, { layout, width, room, now }, paint);
  return [...head, ...body, ...notes].slice(0, Math.max(1, height)).join('\n');
}

function header(snapshot: RunSnapshot, before: Sample | undefined, options: RenderOptions, paint: Paint): string[] {
  const { clusters, streams, phase, recorded, published, caughtUp, startedAt, sandbox } = snapshot;
  const { width, now, data } = options;
  const perSecond = ratePerSecond(now, recorded, before?.recorded, before?.at);
  const objects = streams.reduce((sum, stream) => sum + stream.objects, 0);
  const title = `mk8s ${phase}${sandbox ? ' (sandbox)' : ''}`;
  const totals = [
    counted(clusters.length, 'cluster'),
    streamTotals(streams),
    counted(objects, 'object'),
    ...(perSecond === undefined ? [] : [`${rate(perSecond)} changes/s`]),
    span(now - startedAt),
  ].join(' · ');
  const flows = [
    `recorded ${count(recorded)}`,
    `published ${count(published)}`,
    ...(caughtUp > 0 ? [`caught up ${count(caughtUp)}`] : []),
  ].join(' · ');
  const follow = data === '.mk8s' ? 'mk8s tail --follow' : `mk8s tail --follow --data ${quoted(data)}`;
  return [
    fitPainted(`${title}  `, totals, width, paint),
    paint('dim', fit(`${flows} · data ${data}`, width)),
    paint('dim', fit(`read it: ${follow} · Ctrl-C ends in order`, width)),
  ];
}

function streamTotals(streams: readonly StreamStatus[]): string {
  const inState = (...states: StreamStatus['state'][]): number =>
    streams.filter(({ state }) => states.includes(state)).length;
  const parts = [
    [inState('syncing', 'starting'), 'syncing'],
    [inState('retrying'), 'retrying'],
    [inState('parked'), 'parked'],
  ] as const;
  const exceptions = parts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`);
  return `${counted(streams.length, 'stream')}${exceptions.length === 0 ? '' : ` (${exceptions.join(', ')})`}`;
}

interface ClusterGroup {
  readonly title: string;
  readonly error: string | undefined;
  readonly streams: readonly StreamStatus[];
}

function streamLines(
  { clusters, streams, phase }: RunSnapshot,
  before: Sample | undefined,
  { layout, width, room, now }: { layout: RowLayout; width: number; room: number; now: number },
  paint: Paint,
): string[] {
  if (room <= 1) return [];
  const groups = groupByCluster(clusters, streams);
  if (groups.length === 0) return phase === 'discovering' ? ['', 'Looking for clusters …'].slice(0, room) : [];
  const lines = ['', headingRow(layout, paint)];
  // Clusters that have no room of their own are counted in one line.
  const heads = groups.slice(0, Math.max(1, room - lines.length - 1));
  const named = heads.length < groups.length ? heads : groups;
  const streamRoom = room - lines.length - named.length - (named.length < groups.length ? 1 : 0);
  const activity = (status: StreamStatus): number => status.recorded;
  const folded = fold(named, streamRoom, activity);
  named.forEach((group, index) => {
    lines.push(clusterLine(group, width, paint));
    lines.push(
      ...groupLines(
        group,
        folded[index],
        streamRoom >= named.length,
        (status) => streamRow(status, before, layout, now, paint),
        { width, paint },
      ),
    );
  });
  if (named.length < groups.length)
    lines.push(paint('dim', fit(`+${groups.length - named.length} more clusters`, width)));
  return lines.slice(0, room);
}

function groupLines(
  { streams }: ClusterGroup,
  folded: Folded | undefined,
  hasRoom: boolean,
  row: (status: StreamStatus) => string,
  { width, paint }: { width: number; paint: Paint },
): string[] {
  if (folded === undefined) return [];
  const shown = folded.shown.flatMap((index) => {
    const status = streams[index];
    return status === undefined ? [] : [row(status)];
  });
  if (folded.hidden.length === 0 || !hasRoom) return shown;
  const states = [...new Set(folded.hidden.map(({ state }) => state))].join(', ');
  const objects = folded.hidden.reduce((sum, status) => sum + status.objects, 0);
  return [
    ...shown,
    paint('dim', fit(`  +${folded.hidden.length} more, ${states}, ${counted(objects, 'object')}`, width)),
  ];
}

function clusterLine({ title, error }: ClusterGroup, width: number, paint: Paint): string {
  const name = fit(title, width);
  const left = width - widthOf(name) - 2;
  return error === undefined || left < 8
    ? paint(error === undefined ? 'bold' : 'bad', name)
    : `${paint('bold', name)}  ${paint('bad', fit(printable(error), left))}`;
}

/** Streams under their clusters, in the clusters' order; streams of a cluster that left come last. */
function groupByCluster(clusters: readonly ClusterInfo[], streams: readonly StreamStatus[]): ClusterGroup[] {
  const byId = Map.groupBy(streams, ({ stream }) => stream.cluster);
  const groups = clusters.map(({ id, name, version, server, error, isDefault }) => {
    const own = id === undefined ? [] : (byId.get(id) ?? []);
    if (id !== undefined) byId.delete(id);
    const title = [name, version, server]
      .filter((part) => part !== undefined && part !== '')
      .map((part) => printable(part ?? ''));
    return { title: `${isDefault ? '*' : ' '} ${title.join('  ')}`, error, streams: own };
  });
  const left = [...byId.values()].map((own) => ({
    title: `  ${printable(own[0]?.clusterName ?? '')}`,
    error: undefined,
    streams: own,
  }));
  return [...groups, ...left].map((group) => ({ ...group, streams: group.streams.toSorted(byName) }));
}

function byName(a: StreamStatus, b: StreamStatus): number {
  return streamName(a).localeCompare(streamName(b));
}

function footer(
  { problems, streams }: RunSnapshot,
  layout: RowLayout,
  { width, messages = [] }: RenderOptions,
  room: number,
  paint: Paint,
): string[] {
  const troubles = hasRoomForErrors(layout) ? [] : streams.flatMap((status) => troubleOf(status) ?? []);
  const lines = [
    ...troubles.map((trouble) => paint('bad', fit(`! ${printable(trouble)}`, width))),
    ...problems.map(({ message }) => paint('bad', fit(`! ${printable(message)}`, width))),
    ...messages.map((message) => paint('dim', fit(printable(message), width))),
  ];
  if (lines.length === 0 || room < 2) return [];
  const fits = lines.length <= room - 1;
  const kept = fits ? lines : lines.slice(0, room - 2);
  return ['', ...kept, ...(fits ? [] : [paint('dim', fit(`+${lines.length - kept.length} more`, width))])];
}

function fitPainted(title: string, rest: string, width: number, paint: Paint): string {
  const head = fit(title, width);
  return `${paint('bold', head)}${fit(rest, Math.max(0, width - widthOf(head)))}`;
}

function quoted(path: string): string {
  return /^[\w./~@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

// The view of a run, as a pure function from what is known to lines of text. The driver is screen.ts.

import type { RunSnapshot } from '../../compose.ts';
import type { ClusterInfo } from '../../model/cluster.ts';
import type { StreamStatus } from '../../model/stream-status.ts';
import { count, counted, rate, span } from '../text/numbers.ts';
import { fit, printable, widthOf } from '../text/width.ts';
import { type Folded, fold } from './fold.ts';
import { ratePerSecond, type Sample } from './rates.ts';
import { headingRow, layoutFor, type RowLayout, streamName, streamRow, troubleOf } from './stream-row.ts';
import { type Paint, painter } from './style.ts';
import { troubleLines } from './troubles.ts';

export interface RenderOptions {
  readonly width: number;
  readonly height: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly color: boolean;
  /** The data folder as the user would type it. */
  readonly data: string;
  /** The user did not ask for the sandbox: say why it runs. */
  readonly isFallback?: boolean;
  /** The last things that a stage reported, oldest first. */
  readonly messages?: readonly string[];
}

/** At most `height` lines, none wider than `width` columns, joined by newlines. `before` is a sample some seconds old. */
export function renderRun(snapshot: RunSnapshot, before: Sample | undefined, options: RenderOptions): string {
  const { width, height, now, color } = options;
  const paint = painter(color);
  // On a short terminal the streams are worth more than the lines around them.
  const head = header(snapshot, before, options, paint).slice(0, height < 10 ? 1 : height < 16 ? 2 : 3);
  const layout = layoutFor(width, Math.max(8, ...snapshot.streams.map((status) => widthOf(streamName(status)) + 2)));
  const notes = troubleLines(snapshot, options.messages ?? [], { width, room: Math.floor(height / 4) }, paint);
  const room = height - head.length - notes.length;
  const body = streamLines(snapshot, before, { layout, width, room, now }, paint);
  return [...head, ...body, ...notes].slice(0, Math.max(1, height)).join('\n');
}

function header(snapshot: RunSnapshot, before: Sample | undefined, options: RenderOptions, paint: Paint): string[] {
  const { clusters, streams, phase, recorded, published, caughtUp, startedAt, sandbox } = snapshot;
  const { width, now, data, isFallback = false } = options;
  const perSecond = ratePerSecond(now, recorded, before?.recorded, before?.at);
  const objects = streams.reduce((sum, stream) => sum + stream.objects, 0);
  const title = `mk8s ${phase}${sandbox ? ` (${isFallback ? 'no cluster was found: ' : ''}sandbox)` : ''}`;
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
    [inState('blocked'), 'blocked'],
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
  const all = groupByCluster(clusters, streams);
  // Where not all clusters have room, those in trouble come first.
  const groups = all.length <= room - 3 ? all : all.toSorted((a, b) => Number(isTroubled(b)) - Number(isTroubled(a)));
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
  if (named.length < groups.length) lines.push(paint('dim', fit(`+${groups.length - named.length} more`, width)));
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
  if (error === undefined) return paint('bold', fit(title, width));
  const name = fit(title, width - mark.length);
  return `${paint('bold', name)}${paint('bad', fit(mark, width - widthOf(name)))}`;
}

const mark = '  not reached';

/** Streams under their clusters, in the clusters' order; streams of a cluster that left come last. */
function groupByCluster(clusters: readonly ClusterInfo[], streams: readonly StreamStatus[]): ClusterGroup[] {
  const byId = Map.groupBy(streams, ({ stream }) => stream.cluster);
  const groups = clusters.map(({ id, name, version, server, error, isDefault }) => {
    const own = id === undefined ? [] : (byId.get(id) ?? []);
    if (id !== undefined) byId.delete(id);
    const title = [isDefault ? `${name} (default)` : name, version, server]
      .filter((part) => part !== undefined && part !== '')
      .map((part) => printable(part ?? ''));
    return { title: title.join('  '), error, streams: own };
  });
  const left = [...byId.values()].map((own) => ({
    title: printable(own[0]?.clusterName ?? ''),
    error: undefined,
    streams: own,
  }));
  return [...groups, ...left].map((group) => ({ ...group, streams: group.streams.toSorted(byName) }));
}

function isTroubled({ error, streams }: ClusterGroup): boolean {
  return error !== undefined || streams.some((status) => troubleOf(status) !== undefined);
}

function byName(a: StreamStatus, b: StreamStatus): number {
  return streamName(a).localeCompare(streamName(b));
}

function fitPainted(title: string, rest: string, width: number, paint: Paint): string {
  const head = fit(title, width);
  return `${paint('bold', head)}${fit(rest, Math.max(0, width - widthOf(head)))}`;
}

function quoted(path: string): string {
  return /^[\w./~@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

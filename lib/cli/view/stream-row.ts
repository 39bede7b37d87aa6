// One stream as a row of the view.
import { formatGroupResource } from '../../model/resource.ts';
import { streamKey } from '../../model/stream.ts';
import type { StreamState, StreamStatus } from '../../model/stream-status.ts';
import { count, rate, span } from '../text/numbers.ts';
import { fit, pad, printable } from '../text/width.ts';
import { ratePerSecond, type Sample } from './rates.ts';
import type { Paint, Tone } from './style.ts';

/** Widths of the columns; 0 leaves one out. */
export interface RowLayout {
  readonly name: number;
  readonly state: number;
  readonly objects: number;
  readonly rate: number;
  readonly lag: number;
  readonly bookmark: number;
  /** What is left for a progress bar. */
  readonly rest: number;
}

const gap = 2;
const fixed = { state: 8, objects: 9, rate: 9, lag: 7, bookmark: 9 };

/** Gives up bookmark, rate, objects and lag, in this order, until the names have room. */
export function layoutFor(columns: number, longestName: number): RowLayout {
  const layout = { ...fixed };
  const taken = (): number => width(...Object.values(layout));
  const wanted = Math.min(longestName, 48);
  for (const column of ['bookmark', 'rate', 'objects', 'lag', 'state'] as const) {
    if (columns - taken() >= Math.min(wanted, 36)) break;
    layout[column] = 0;
  }
  const name = Math.max(1, Math.min(wanted, columns - taken()));
  return { ...layout, name, rest: Math.max(0, columns - taken() - name) };
}

export function headingRow(layout: RowLayout, paint: Paint): string {
  const cells = [
    pad('  RESOURCE', layout.name),
    pad('STATE', layout.state),
    pad('OBJECTS', layout.objects, 'left'),
    pad('CHANGES/S', layout.rate, 'left'),
    pad('LAG', layout.lag, 'left'),
    pad('BOOKMARK', layout.bookmark, 'left'),
  ];
  return paint('dim', joined(cells));
}

const tones: Readonly<Record<StreamState, Tone>> = {
  starting: 'busy',
  syncing: 'busy',
  watching: 'good',
  queued: 'good',
  retrying: 'bad',
  blocked: 'bad',
  parked: 'bad',
  stopped: 'dim',
  ended: 'dim',
};

export function streamRow(
  status: StreamStatus,
  before: Sample | undefined,
  layout: RowLayout,
  now: number,
  paint: Paint,
): string {
  const { state, synced, currentAt, lastBookmarkAt } = status;
  const perSecond = ratePerSecond(now, status.recorded, before?.byStream.get(streamKey(status.stream)), before?.at);
  const cells = [
    pad(`  ${streamName(status)}`, layout.name),
    paint(tones[state], pad(state, layout.state)),
    pad(count(status.objects), layout.objects, 'left'),
    pad(perSecond === undefined ? '-' : rate(perSecond), layout.rate, 'left'),
    pad(currentAt === 0 ? '-' : span(now - currentAt), layout.lag, 'left'),
    pad(lastBookmarkAt === 0 ? '-' : `${span(now - lastBookmarkAt)} ago`, layout.bookmark, 'left'),
  ];
  // A first sync has no rate or lag worth a column: its progress takes their place.
  if (state === 'syncing' && synced !== undefined) {
    const room = width(layout.objects, layout.rate, layout.lag, layout.bookmark) + layout.rest - gap;
    return joined([...cells.slice(0, 2), paint('busy', fit(progress(synced, room), room))]);
  }
  return joined(cells);
}

/** What a stream suffers from now; while it is watched, that is a sink or the folder. */
export function troubleOf({ state, error }: StreamStatus): string | undefined {
  return state === 'ended' ? undefined : error;
}

function width(...widths: readonly number[]): number {
  return widths.reduce((sum, column) => sum + (column === 0 ? 0 : column + gap), 0);
}

export function streamName({ stream }: StreamStatus): string {
  const { namespace, labelSelector, fieldSelector } = stream.selector;
  const selected = [namespace, labelSelector, fieldSelector].filter((part) => part !== undefined).join(' ');
  return printable(selected === '' ? formatGroupResource(stream) : `${formatGroupResource(stream)} (${selected})`);
}

/** A bar where the total is known, else how many so far. */
function progress({ done, total }: { readonly done: number; readonly total?: number }, room: number): string {
  if (total === undefined || total === 0) return `${count(done)} objects so far`;
  const share = Math.min(1, done / total);
  const numbers = `${count(done)} of ${count(total)}`;
  const bar = Math.min(24, room - numbers.length - 3);
  if (bar < 5) return `${Math.floor(share * 100)}% ${numbers}`;
  const full = Math.floor(share * bar);
  return `[${'#'.repeat(full)}${'-'.repeat(bar - full)}] ${numbers}`;
}

function joined(cells: readonly string[]): string {
  return cells
    .filter((cell) => cell !== '')
    .join(' '.repeat(gap))
    .trimEnd();
}

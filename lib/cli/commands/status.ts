// `mk8s status`: how every stream of the data folder stands, also while no run is alive.
import type { Problem } from '../../model/cluster.ts';
import { formatGroupResource } from '../../model/resource.ts';
import { streamKey } from '../../model/stream.ts';
import type { StreamStatus } from '../../model/stream-status.ts';
import type { DeadLetter } from '../../ports/event-sink.ts';
import type { RunStatus } from '../../ports/status-store.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { columns } from '../text/columns.ts';
import { count, counted, span } from '../text/numbers.ts';
import { printable } from '../text/width.ts';
import { openExistingStatus } from './open-folder.ts';

export interface StatusFlags {
  readonly output: 'table' | 'json';
}

interface FolderStatus {
  readonly data: string;
  readonly run: RunStatus | undefined;
  readonly alive: boolean;
  readonly streams: readonly StreamStatus[];
  readonly deadLetters: { readonly count: number; readonly last: readonly DeadLetter[] };
}

// A run writes its row every second or so, to Firestore every half minute; one that is silent for this long was killed or hangs.
const aliveWithinMs = { disk: 15_000, firestore: 90_000 };

export async function status(flags: StatusFlags, invocation: Invocation): Promise<number> {
  const store = await openExistingStatus('show the status', invocation);
  try {
    const { config } = invocation;
    const now = invocation.now();
    const { run, streams } = await store.status.read();
    const shown: FolderStatus = {
      data: config.store === 'disk' ? config.data : config.store,
      run,
      alive:
        run !== undefined &&
        run.running &&
        now - run.updatedAt < aliveWithinMs[config.store === 'disk' ? 'disk' : 'firestore'],
      streams: streams.toSorted(
        (a, b) => a.clusterName.localeCompare(b.clusterName) || streamKey(a.stream).localeCompare(streamKey(b.stream)),
      ),
      deadLetters: { count: await store.deadLetters.count(), last: await store.deadLetters.list(5) },
    };
    await invocation.stdout.write(flags.output === 'json' ? asJson(shown, now) : asTable(shown, now));
    return exitCodes.ok;
  } finally {
    await store.close();
  }
}

/** Seconds since the stream was last known to hold its cluster's present; undefined for never. */
function lagSeconds(stream: StreamStatus, now: number): number | undefined {
  return stream.currentAt === 0 ? undefined : Math.max(0, Math.round((now - stream.currentAt) / 1000));
}

function asJson({ data, run, alive, streams, deadLetters }: FolderStatus, now: number): string {
  const rows = streams.map((stream) => ({
    key: streamKey(stream.stream),
    cluster: stream.stream.cluster,
    resource: formatGroupResource(stream.stream),
    ...stream,
    lagSeconds: lagSeconds(stream, now) ?? null,
  }));
  return `${JSON.stringify({ data, alive, run: run ?? null, streams: rows, deadLetters }, undefined, 2)}\n`;
}

function asTable({ data, run, alive, streams, deadLetters }: FolderStatus, now: number): string {
  const parts = [`${runSentence(run, alive, now)} Data: ${data}\n`];
  if (streams.length === 0) parts.push('No stream has a record yet.\n');
  else
    parts.push(
      `\n${columns(
        headings,
        streams.map((stream) => row(stream, now)),
      )}`,
    );
  const errors = streams.filter(({ error }) => error !== undefined);
  if (errors.length > 0) {
    const rows = errors.map(({ clusterName, stream, error, errorAt }) => [
      clusterName,
      formatGroupResource(stream),
      errorAt === undefined ? '-' : `${span(now - errorAt)} ago`,
      error ?? '',
    ]);
    parts.push(`\n${columns(['CLUSTER', 'RESOURCE', 'SEEN', 'LAST ERROR'], rows)}`);
  }
  if (deadLetters.count > 0) {
    const rows = deadLetters.last.map(({ sink, stream, sequence, at, reason }) => [
      sink,
      stream,
      String(sequence),
      `${span(now - at)} ago`,
      reason,
    ]);
    const refused = `${counted(deadLetters.count, 'change was', 'changes were')} refused by a sink for good`;
    parts.push(`\n${refused}; the last:\n${columns(['SINK', 'STREAM', 'SEQUENCE', 'SEEN', 'REASON'], rows)}`);
  }
  parts.push(...problemLines(run?.problems ?? []));
  return parts.join('');
}

const headings = [
  'CLUSTER',
  'RESOURCE',
  'STATE',
  'OBJECTS',
  'EPOCH',
  'VERSION',
  'RECORDED',
  'PUBLISHED',
  'LAG',
  'BOOKMARK',
  'GAPS',
];

function row(stream: StreamStatus, now: number): string[] {
  const lag = lagSeconds(stream, now);
  const { fieldSelector, labelSelector, namespace } = stream.stream.selector;
  const selected = [namespace && `namespace ${namespace}`, labelSelector, fieldSelector].filter(Boolean).join(', ');
  return [
    stream.clusterName,
    `${formatGroupResource(stream.stream)}${selected === '' ? '' : ` (${selected})`}`,
    stream.state,
    count(stream.objects),
    String(stream.epoch),
    stream.resourceVersion === '' ? '-' : stream.resourceVersion,
    count(stream.recorded),
    count(stream.published),
    lag === undefined ? '-' : span(lag * 1000),
    stream.lastBookmarkAt === 0 ? '-' : `${span(now - stream.lastBookmarkAt)} ago`,
    stream.gaps === 0 ? '0' : `${count(stream.gaps)} (${span(now - stream.lastGapAt)} ago)`,
  ];
}

function runSentence(run: RunStatus | undefined, alive: boolean, now: number): string {
  if (run === undefined) return 'No run has written its status yet.';
  const who = printable(run.run);
  if (alive) return `Running: ${who}, for ${span(now - run.startedAt)}.`;
  const seen = `${span(now - run.updatedAt)} ago`;
  return run.running
    ? `Not running: ${who} was last heard of ${seen} and did not end in order; the next run resumes after it.`
    : `Not running: ${who} ended in order ${seen}.`;
}

function problemLines(problems: readonly Problem[]): string[] {
  return problems.length === 0 ? [] : ['\n', ...problems.map(({ message }) => `Warning: ${printable(message)}\n`)];
}

// `mk8s tail`: shows recorded changes, and keeps the place of a named subscription.
// At least once: a position is acknowledged only after its lines were handed to stdout (promise 4, for readers).
import { Mk8sError } from '../../model/errors.ts';
import type { FeedPage } from '../../ports/feed.ts';
import type { FolderForReading } from '../engine.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { changes } from '../tail/changes.ts';
import { type ClusterNames, clusterNames } from '../tail/cluster-names.ts';
import { formatOf, type OutputName } from '../tail/formats.ts';
import { findStart, parseFrom } from '../tail/start.ts';
import { type Filter, filterOf, parseWhere } from '../tail/where.ts';
import { count, counted } from '../text/numbers.ts';
import { openExistingFolder } from './open-folder.ts';

export interface TailFlags {
  readonly subscription?: string;
  readonly from?: string;
  readonly rewind?: boolean;
  readonly follow?: boolean;
  readonly where?: readonly string[];
  readonly output: OutputName;
  readonly limit?: number;
}

// A durable write per page would cost more than reading the page; a crash repeats at most this much.
const acknowledgeEveryMs = 100;

export async function tail(flags: TailFlags, invocation: Invocation): Promise<number> {
  if (flags.rewind === true && (flags.subscription === undefined || flags.from === undefined)) {
    throw new Mk8sError('--rewind moves a subscription: it needs --subscription and --from', { code: 'config' });
  }
  const conditions = parseWhere(flags.where ?? []);
  const from = flags.from === undefined ? undefined : parseFrom(flags.from, invocation.now());
  const folder = await openExistingFolder('tail the feed', invocation);
  try {
    const { subscription, rewind = false, follow = false } = flags;
    const start = await findStart({ from, subscription, rewind, follow }, folder.feed, folder.subscriptions);
    for (const notice of start.notices) await invocation.stderr.write(`${notice}\n`);
    const names = clusterNames(folder.status);
    await show(start.after, flags, folder, names, filterOf(conditions, names.get), invocation);
    return exitCodes.ok;
  } finally {
    await folder.close();
  }
}

async function show(
  after: number,
  flags: TailFlags,
  folder: FolderForReading,
  names: ClusterNames,
  filter: Filter,
  { stdout, stderr, signal, now }: Invocation,
): Promise<void> {
  const { subscription, follow = false, limit = Number.POSITIVE_INFINITY } = flags;
  const format = formatOf(flags.output, names.get);
  let written = after;
  let acknowledged = after;
  let acknowledgedAt = now();
  let left = limit;

  const acknowledge = async (): Promise<void> => {
    if (subscription === undefined || written === acknowledged) return;
    await folder.subscriptions.acknowledge(subscription, written);
    acknowledged = written;
    acknowledgedAt = now();
  };
  const onMissed = (from: number, to: number): void => {
    void stderr.write(`${missedSentence(from, to, subscription)}\n`).catch(() => {});
  };

  try {
    for await (const page of pages(folder, names, { after, follow, filter, signal, onMissed })) {
      const revisions = page.revisions.slice(0, left);
      if (revisions.length > 0) await stdout.write(format(revisions));
      left -= revisions.length;
      written = revisions.length < page.revisions.length ? (revisions.at(-1)?.position ?? written) : page.position;
      if (left === 0) return;
      if (page.atEnd || now() - acknowledgedAt >= acknowledgeEveryMs) await acknowledge();
    }
  } finally {
    await acknowledge();
  }
}

type PagesOptions = Parameters<typeof changes>[1];

/** As `changes`; a page with a cluster whose name came to be known only now is read again: a filter may ask for it. */
async function* pages(folder: FolderForReading, names: ClusterNames, options: PagesOptions): AsyncGenerator<FeedPage> {
  let after = options.after;
  for (;;) {
    let again = false;
    for await (const page of changes(folder.feed, { ...options, after })) {
      for (const { stream } of page.revisions) names.get(stream);
      if (await names.refresh()) {
        again = true;
        break;
      }
      yield page;
      after = page.position;
    }
    if (!again) return;
  }
}

function missedSentence(from: number, to: number, subscription: string | undefined): string {
  const who = subscription === undefined ? 'this tail' : `subscription "${subscription}"`;
  const upTo = counted(to - from, 'change');
  return `Retention removed changes that ${who} had not read: it stood at position ${count(from)}, and some were removed up to ${count(to)}. Up to ${upTo} are missing; the last state of every object that lives is still there.`;
}

// `mk8s tail`: shows recorded changes, and keeps the place of a named subscription.
import { Mk8sError } from '../../model/errors.ts';
import type { FolderForReading } from '../engine.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { type ClusterNames, clusterNames } from '../tail/cluster-names.ts';
import { deliver } from '../tail/deliver.ts';
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
  const { subscription, follow = false, limit } = flags;
  const format = formatOf(flags.output, names.get);
  await deliver({
    folder,
    names,
    after,
    follow,
    filter,
    signal,
    subscription,
    ...(limit === undefined ? {} : { limit }),
    now,
    hand: (revisions) => stdout.write(format(revisions)),
    onMissed(from, to) {
      void stderr.write(`${missedSentence(from, to, subscription)}\n`).catch(() => {});
    },
  });
}

function missedSentence(from: number, to: number, subscription: string | undefined): string {
  const who = subscription === undefined ? 'this tail' : `subscription "${subscription}"`;
  const upTo = counted(to - from, 'change');
  return `Retention removed changes that ${who} had not read: it stood at position ${count(from)}, and some were removed up to ${count(to)}. Up to ${upTo} are missing; the last state of every object that lives is still there.`;
}

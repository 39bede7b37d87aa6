// What a run did, in plain sentences.
import type { RunSummary } from '../compose.ts';
import { counted, span } from './text/numbers.ts';

/** One sentence a line, failures last; no newline at the end. */
export function summarySentences(summary: RunSummary): readonly string[] {
  const { clusters, streams, recorded, published, caughtUp, replayed, resumed, durationMs, failures } = summary;
  const total = recorded.add + recorded.update + recorded.delete;
  const kinds = [
    [recorded.add, 'added'],
    [recorded.update, 'updated'],
    [recorded.delete, 'deleted'],
  ] as const;
  const parts = kinds.filter(([number]) => number > 0).map(([number, word]) => `${counted(number, 'object')} ${word}`);
  return [
    `Ran for ${span(durationMs)} with ${counted(streams, 'stream')} of ${counted(clusters, 'cluster')}.`,
    ...(resumed > 0 ? [`${counted(resumed, 'stream')} resumed where an earlier run had come, without listing.`] : []),
    total === 0 ? 'Recorded no change.' : `Recorded ${counted(total, 'change')}: ${parts.join(', ')}.`,
    ...(caughtUp > 0
      ? [`${counted(caughtUp, 'change')} of these had happened before this run and were caught up with.`]
      : []),
    ...(published === total && replayed === 0 ? [] : [`Published ${counted(published, 'change')}.`]),
    ...(replayed > 0 ? [`${counted(replayed, 'change')} that an earlier run had recorded were published first.`] : []),
    ...failures.slice(0, failuresShown).map(asSentence),
    ...(failures.length > failuresShown
      ? [`${counted(failures.length - failuresShown, 'more failure')}: see mk8s status.`]
      : []),
  ];
}

// A fleet that is down fails once per stream; the first few say why.
const failuresShown = 8;

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

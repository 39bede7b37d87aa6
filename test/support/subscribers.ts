// Holds what subscribers received against the feed: the promises that show themselves to whoever listens.
import { type FeedEvent, type Materialised, materialise } from './materialise.ts';

/**
 * A sentence for each thing that promises 2, 3 and 5 exclude: order, ids, changes that cannot be read, changes that never
 * came. `received`: what each subscriber got, by its name in the sentences.
 */
export function subscriberFaults(
  feed: Iterable<FeedEvent>,
  received: Readonly<Record<string, Materialised>>,
): string[] {
  const whole = materialise(feed);
  const twice = whole.redelivered === 0 ? [] : [`feed: ${whole.redelivered} changes are recorded twice`];
  return [
    ...whole.faults.map((fault) => `feed: ${fault}`),
    ...twice,
    ...Object.entries(received).flatMap(([who, { faults, ids }]) => [
      ...faults.map((fault) => `${who}: ${fault}`),
      ...missing(ids, whole.ids).map((id) => `${who}: ${id} came and cannot be read in the feed`),
      ...missing(whole.ids, ids).map((id) => `${who}: ${id} is in the feed and never came`),
    ]),
  ];
}

/** Keys of one map that the other does not have. */
function missing(of: ReadonlyMap<string, unknown>, from: ReadonlyMap<string, unknown>): string[] {
  return [...of.keys()].filter((key) => !from.has(key));
}

// When a change is news: the rule that makes appending idempotent (promises 1, 2 and 5).
import { compareResourceVersions } from '../model/resource-version.ts';
import type { LastState, Observed } from '../model/revision.ts';

/**
 * True where recording `change` adds something to what is known of its object. Within an epoch, an object's state only
 * moves forward; a redelivered event is not newer than what is known. Across epochs resourceVersions do not compare, so
 * anything that differs is news; and a comparison (`relist`) has looked at the bytes already.
 */
export function accepts(last: LastState | undefined, change: Observed, epoch: number): boolean {
  const deletes = change.type === 'delete';
  if (last === undefined) return true;
  if (deletes && last.deleted && last.uid === change.uid) return false;
  if (last.epoch !== epoch) {
    if (change.origin === 'relist') return true;
    return last.uid !== change.uid || last.resourceVersion !== change.resourceVersion || last.deleted !== deletes;
  }
  const order = compareResourceVersions(change.asOf, last.asOf);
  return order > 0 || (order === 0 && deletes && !last.deleted && last.uid === change.uid);
}

// Compares a live set with the record (promises 1 and 7): both come in key order, so one walk over the two finds what was
// added, changed and deleted, and neither is ever held whole.
import { Mk8sError } from '../model/errors.ts';
import { compareResourceVersions, type ResourceVersion, resourceVersion } from '../model/resource-version.ts';
import {
  compareObjectKeys,
  keyOf,
  type LastState,
  type ObjectKey,
  type Observed,
  type Origin,
  type ScannedObject,
} from '../model/revision.ts';
import type { RecordReader } from './record-reader.ts';

/** States read from the record at a time: about 100 KB. */
const PAGE = 500;
/** Tombstones handed out at a time: each carries its object. */
const TOMBSTONES = 100;
const beginning = resourceVersion('0');

export interface Reconcile {
  /**
   * Compares the next live objects, in ascending key order, and returns what has to be recorded. Tombstones come later:
   * until `flush`, an absence may still turn out to be a break of the order. `again`: objects up to the last key taken
   * are repeated, and passed over.
   * Throws Mk8sError `protocol` where the keys do not ascend.
   */
  take(objects: readonly ScannedObject[], again: boolean): Promise<readonly Observed[]>;
  /**
   * Tombstones for what is missing up to the last key taken. `asOf`: the absence is true at this resourceVersion; without
   * it, as of each object's last state.
   */
  flush(asOf?: ResourceVersion): AsyncGenerator<readonly Observed[]>;
  /**
   * True once a live object was older than its record, or another one at the same resourceVersion, or not newer than the
   * recorded position and not as recorded, or a list lacked what was recorded as newer than it: the cluster was restored
   * within what is recorded as this epoch.
   * `take` and `flush` then hand out what was found before; the comparison has to begin anew in the next epoch.
   */
  readonly wentBack: boolean;
  /** Stretches of missing keys that are remembered until the next flush. */
  readonly pending: number;
  /** The same up to the end of the record: the live set is complete. */
  finish(asOf?: ResourceVersion): AsyncGenerator<readonly Observed[]>;
}

interface Gap {
  /** Recorded objects strictly between these keys are missing; undefined means from the start, or to the end. */
  readonly after: ObjectKey | undefined;
  readonly before: ObjectKey | undefined;
  /** How many; unknown to the end. */
  readonly missing?: number;
}

/**
 * Starts a comparison of what is live in `epoch` with the record. `position`: everything of this epoch up to it is
 * recorded; absent where nothing was synchronised in it.
 */
export function startReconcile(
  record: RecordReader,
  context: { origin: Origin; epoch: number; position?: ResourceVersion | undefined; now: () => number },
): Reconcile {
  const recorded = recordCursor(record);
  /** The last object taken, of which there is a key when it is needed. */
  let last: Pick<ScannedObject, 'namespace' | 'name'> | undefined;
  let gaps: Gap[] = [];
  let wentBack = false;

  async function take(objects: readonly ScannedObject[], again: boolean): Promise<readonly Observed[]> {
    const changes: Observed[] = [];
    for (const object of objects) {
      // Most objects are as recorded: then they follow the one before as the record does.
      if (recorded.passes(object, context.epoch)) {
        last = object;
        continue;
      }
      const key = keyOf(object);
      const before = last === undefined ? undefined : keyOf(last);
      if (before !== undefined && compareObjectKeys(key, before) <= 0) {
        if (again) continue;
        throw new Mk8sError(`The list is not in key order: "${key}" came after "${before}"`, { code: 'protocol' });
      }
      const { state, skipped } = await recorded.seek(key);
      if (skipped > 0) gaps.push({ after: before, before: key, missing: skipped });
      last = object;
      wentBack = isOlder(object, state) || (await isOfAnotherLife(object, state));
      if (wentBack) return changes;
      changes.push(...(await difference(state, object)));
    }
    return changes;
  }

  /** A consistent list can't be older than what was recorded before it, unless the cluster went back in time. */
  function isOlder(object: ScannedObject, state: LastState | undefined): boolean {
    if (state === undefined || state.epoch !== context.epoch) return false;
    const order = compareResourceVersions(object.resourceVersion, state.resourceVersion);
    // One resourceVersion makes no two objects: the log would take the other one for known.
    return order < 0 || (order === 0 && object.uid !== state.uid);
  }

  /** Nor can it lack what is newer than itself. */
  function isNewerThan(asOf: ResourceVersion | undefined, state: LastState): boolean {
    if (asOf === undefined || state.epoch !== context.epoch) return false;
    return compareResourceVersions(state.asOf, asOf) > 0;
  }

  function isWithinPosition({ resourceVersion: version }: ScannedObject): boolean {
    return context.position !== undefined && compareResourceVersions(version, context.position) <= 0;
  }

  /** What happened up to our position was told to us, so what we do not know of it happened on another timeline. */
  async function isOfAnotherLife(object: ScannedObject, state: LastState | undefined): Promise<boolean> {
    if (!isWithinPosition(object)) return false;
    if (state?.uid !== object.uid) return true;
    if (state.resourceVersion === object.resourceVersion) return false;
    if (record.sparse !== true) return true;
    // A change that alters nothing may have been left out of the record. In another version all looks altered.
    const before = await record.revision(state.sequence);
    return before === undefined || (before.apiVersion === object.apiVersion && record.alters(before, object));
  }

  async function difference(state: LastState | undefined, object: ScannedObject): Promise<Observed[]> {
    if (state === undefined) return [observed(object, 'add')];
    const sameEpoch = state.epoch === context.epoch;
    if (state.uid !== object.uid) {
      // The tombstone has to come before the new object: as of the old one's last state, or of the new epoch's start.
      return [...(await tombstones([state], sameEpoch ? state.asOf : beginning)), observed(object, 'add')];
    }
    // Up to our position all was recorded in this epoch, but for changes that alter nothing.
    if (isWithinPosition(object)) return [];
    if (state.resourceVersion !== object.resourceVersion) return [observed(object, 'update')];
    if (sameEpoch) return [];
    // In a restored cluster an equal resourceVersion may hide another object.
    const before = await record.revision(state.sequence);
    return before !== undefined && record.holds(before, object) ? [] : [observed(object, 'update')];
  }

  function observed(object: ScannedObject, type: 'add' | 'update'): Observed {
    return { ...object, type, origin: context.origin, asOf: object.resourceVersion, observedAt: context.now() };
  }

  async function tombstones(states: readonly LastState[], asOf: ResourceVersion | undefined): Promise<Observed[]> {
    const found: Observed[] = [];
    for (const state of states) {
      const known = await record.revision(state.sequence);
      if (known === undefined) {
        throw new Mk8sError(
          `The record lacks revision ${state.sequence}, the last state of "${keyOf(state)}": the data folder is damaged`,
          { code: 'storage' },
        );
      }
      found.push({
        apiVersion: known.apiVersion,
        kind: known.kind,
        namespace: known.namespace,
        name: known.name,
        uid: known.uid,
        resourceVersion: known.resourceVersion,
        // Who deleted it is not known.
        manager: '',
        object: known.object,
        type: 'delete',
        origin: context.origin,
        asOf: asOf ?? state.asOf,
        observedAt: context.now(),
      });
    }
    return found;
  }

  async function* flush(asOf?: ResourceVersion): AsyncGenerator<readonly Observed[]> {
    const open = gaps;
    gaps = [];
    for (const gap of open) {
      let after = gap.after;
      for (let left = gap.missing ?? Number.POSITIVE_INFINITY; left > 0; ) {
        const page = await record.lastStates(after, Math.min(TOMBSTONES, left));
        const missing = page.filter(
          (state) => gap.before === undefined || compareObjectKeys(keyOf(state), gap.before) < 0,
        );
        const end = page.at(-1);
        wentBack ||= missing.some((state) => isNewerThan(asOf, state));
        if (wentBack) return;
        if (missing.length > 0) yield await tombstones(missing, asOf);
        if (end === undefined || missing.length < page.length) break;
        after = keyOf(end);
        left -= page.length;
      }
    }
  }

  async function* finish(asOf?: ResourceVersion): AsyncGenerator<readonly Observed[]> {
    gaps.push({ after: last === undefined ? undefined : keyOf(last), before: undefined });
    yield* flush(asOf);
  }

  return {
    take,
    flush,
    finish,
    get pending() {
      return gaps.length;
    },
    get wentBack() {
      return wentBack;
    },
  };
}

/** Walks the record's last states in key order. */
function recordCursor(record: RecordReader): {
  /** Moves to `key`: its state if recorded, and how many recorded keys were passed over on the way. */
  seek(key: ObjectKey): Promise<{ state: LastState | undefined; skipped: number }>;
  /** Moves on where the next recorded state is this object's, of this epoch and unchanged; false where it is not, or not read yet. */
  passes(object: ScannedObject, epoch: number): boolean;
} {
  let page: readonly LastState[] = [];
  let index = 0;
  let after: ObjectKey | undefined;
  let exhausted = false;

  async function seek(key: ObjectKey): Promise<{ state: LastState | undefined; skipped: number }> {
    let skipped = 0;
    for (;;) {
      const state = page[index];
      if (state === undefined) {
        if (exhausted) return { state: undefined, skipped };
        page = await record.lastStates(after, PAGE);
        index = 0;
        exhausted = page.length < PAGE;
        const end = page.at(-1);
        if (end !== undefined) after = keyOf(end);
        continue;
      }
      const order = compareObjectKeys(keyOf(state), key);
      if (order > 0) return { state: undefined, skipped };
      index += 1;
      if (order === 0) return { state, skipped };
      skipped += 1;
    }
  }

  function passes({ namespace, name, uid, resourceVersion: version }: ScannedObject, epoch: number): boolean {
    const state = page[index];
    const same =
      state !== undefined &&
      state.name === name &&
      state.namespace === namespace &&
      state.resourceVersion === version &&
      state.uid === uid &&
      state.epoch === epoch;
    if (same) index += 1;
    return same;
  }
  return { seek, passes };
}

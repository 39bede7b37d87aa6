// Does the stream's resourceVersion still mean the same? A cluster restored from a backup counts on from an older one, and a
// watch from the newer is accepted and silent (kubernetes#107457). Only a consistent read shows it (promise 10).
import { startDeadline } from '../async/deadline.ts';
import { decodeList } from '../decode/list-stream.ts';
import { parseStatus } from '../decode/status.ts';
import { decodeWatch } from '../decode/watch-stream.ts';
import { Mk8sError } from '../model/errors.ts';
import { compareResourceVersions, type ResourceVersion } from '../model/resource-version.ts';
import { objectKey, type Revision, type ScannedObject } from '../model/revision.ts';
import type { ApiResponse, ApiServer } from '../ports/api-server.ts';
import type { Clock } from '../ports/clock.ts';
import { readAll } from './read-all.ts';
import type { RecordReader } from './record-reader.ts';
import { type Collection, presentRequest, watchRequest } from './requests.ts';
import type { Verdict, WatchInput } from './state.ts';

/** Newest revisions looked at, and different objects asked for, before everything is compared. */
const NEWEST = 64;
const MOST_WITNESSES = 12;
/** How long the server may take to send again what it sent before, in seconds: it has it in memory, or says 410. */
const REPLAY_SECONDS = 5;
/** How long a consistent read of one object may take, milliseconds: for ever on a half-open connection. */
const LOOK_MS = 30_000;

export interface Proof {
  readonly verdict: Verdict;
  /** The cluster's resourceVersion at that moment: a catch-up has to get there. */
  readonly present: ResourceVersion;
  /** Where to go on watching, for `same`. */
  readonly from: ResourceVersion;
}

export interface ProofContext {
  readonly api: ApiServer;
  readonly collection: Collection;
  readonly position: ResourceVersion;
  /** The position's. */
  readonly epoch: number;
  readonly record: RecordReader;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly signal: AbortSignal;
  readonly freshCredentials: boolean;
}

/**
 * Looks whether what the cluster has is what we recorded: the cluster must not be behind our position, and the newest
 * change must be told again, as it was, by a watch from the change before it. The watch then goes on from that newest
 * change, so that nothing between it and our position is passed over. Where it can't be told again (its time is
 * forgotten, or it was found by a list), objects must be as recorded.
 * Returns the error Status where the server answered with one. Throws what the ApiServer throws.
 */
export async function prove(context: ProofContext): Promise<Proof | (WatchInput & { kind: 'status' })> {
  const recent = await context.record.newest(NEWEST);
  if (recent.some((revision) => isBeyond(revision, context))) return await proveByPresent(context);
  const [newest, before] = recent;
  return newest !== undefined && before !== undefined && follows(newest, before)
    ? await proveByReplay(context, recent, newest, before)
    : await proveByWitness(context, strongest(recent));
}

/**
 * Found by a comparison that did not come to its end: the record is partly newer than our position, and a watch from there would
 * not tell what a restore undid of it.
 */
function isBeyond({ origin, asOf, epoch }: Revision, context: ProofContext): boolean {
  return origin !== 'watch' && epoch === context.epoch && compareResourceVersions(asOf, context.position) > 0;
}

async function proveByPresent(context: ProofContext): Promise<Proof | (WatchInput & { kind: 'status' })> {
  const { position } = context;
  const seen = await look(context, undefined);
  if ('kind' in seen) return seen;
  const verdict = compareResourceVersions(seen.present, position) < 0 ? 'restored' : 'unproven';
  return { verdict, present: seen.present, from: position };
}

async function proveByReplay(
  context: ProofContext,
  recent: readonly Revision[],
  newest: Revision,
  before: Revision,
): Promise<Proof | (WatchInput & { kind: 'status' })> {
  const seen = await look(context, newest);
  if ('kind' in seen) return seen;
  const { position, record } = context;
  const decided = (verdict: Verdict, from = position): Proof => ({ verdict, present: seen.present, from });
  const witness = judge(newest, seen, position, record);
  if (witness === 'restored') return decided('restored');
  const replay = await replays(context, recent, newest, before);
  switch (replay) {
    case 'as recorded':
      return decided('same', newest.resourceVersion);
    case 'another change':
      return decided('restored');
    case 'unclear':
      return decided('unproven');
    case 'forgotten':
      // An object as recorded shows that nothing happened up to it, but not what happened after it.
      return decided(witness === 'same' && newest.resourceVersion === position ? 'same' : 'unproven');
    default:
      return replay;
  }
}

/** The newest state was found by a list, so no watch tells it again: objects that are as recorded have to do. */
async function proveByWitness(
  context: ProofContext,
  witnesses: readonly Revision[],
): Promise<Proof | (WatchInput & { kind: 'status' })> {
  const { position, record } = context;
  let seen = await look(context, witnesses[0]);
  for (const witness of witnesses) {
    if (witness !== witnesses[0]) seen = await look(context, witness);
    if ('kind' in seen) return seen;
    const verdict = judge(witness, seen, position, record);
    if (verdict !== undefined) return { verdict, present: seen.present, from: position };
  }
  if ('kind' in seen) return seen;
  const verdict = witnesses.length === 0 ? judgeEmpty(seen, position) : 'unproven';
  return { verdict, present: seen.present, from: position };
}

/** Objects that were alive when last recorded, those with the highest resourceVersions first: they show the most. */
function strongest(recent: readonly Revision[]): readonly Revision[] {
  const last = new Map<string, Revision>();
  for (const revision of recent.toReversed()) last.set(objectKey(revision.namespace, revision.name), revision);
  return [...last.values()]
    .filter(({ type }) => type !== 'delete')
    .toSorted((a, b) => compareResourceVersions(b.resourceVersion, a.resourceVersion))
    .slice(0, MOST_WITNESSES);
}

/** True where both were events of one watch, one after the other. */
function follows(newest: Revision, before: Revision): boolean {
  return (
    newest.origin === 'watch' &&
    before.origin === 'watch' &&
    newest.epoch === before.epoch &&
    newest.sequence === before.sequence + 1 &&
    compareResourceVersions(before.resourceVersion, newest.resourceVersion) < 0
  );
}

/** What a watch from `before` sends first. */
async function replays(
  { api, collection, clock, signal, freshCredentials, record }: ProofContext,
  recent: readonly Revision[],
  newest: Revision,
  before: Revision,
): Promise<'as recorded' | 'another change' | 'unclear' | 'forgotten' | (WatchInput & { kind: 'status' })> {
  const deadline = startDeadline(clock, (REPLAY_SECONDS + 3) * 1000, signal);
  try {
    const question = watchRequest(collection, before.resourceVersion, REPLAY_SECONDS);
    const response = await api.request({ ...question, freshCredentials, signal: deadline.signal });
    if (response.status !== 200) {
      // Read to its end in any case: what is left unread keeps its connection open.
      const refused = await refusal(response);
      return refused.code === 410 ? 'forgotten' : refused;
    }
    for await (const lines of decodeWatch(response.body)) {
      for (const line of lines) {
        if (line.kind === 'error') return line.status.code === 410 ? 'forgotten' : 'unclear';
        if (line.kind === 'bookmark') return 'unclear';
        if (record.holds(newest, line.object)) return 'as recorded';
        const order = compareResourceVersions(line.object.resourceVersion, newest.resourceVersion);
        // A change that alters nothing may have been left out of the record.
        if (record.sparse === true && order < 0) continue;
        // A list that broke off had shown its outcome before the watch told of it: then it is not recorded again.
        if (order < 0 && recent.some((revision) => isListedLater(revision, line.object))) continue;
        // The same change in other words (another version is served, other fields are redacted) shows nothing.
        return order === 0 && line.object.uid === newest.uid ? 'unclear' : 'another change';
      }
    }
    return 'unclear';
  } catch (error) {
    if (deadline.expired) return 'unclear';
    throw error;
  } finally {
    deadline.stop();
  }
}

/** True where a list showed the object as it was then, or as it became. */
function isListedLater({ origin, uid, asOf }: Revision, object: ScannedObject): boolean {
  return origin !== 'watch' && uid === object.uid && compareResourceVersions(asOf, object.resourceVersion) >= 0;
}

interface Look {
  readonly present: ResourceVersion;
  readonly object: ScannedObject | undefined;
}

/** What one witness says, undefined for nothing. */
export function judge(
  witness: Revision,
  { present, object }: Look,
  position: ResourceVersion,
  record: Pick<RecordReader, 'holds' | 'sparse'>,
): Verdict | undefined {
  if (compareResourceVersions(present, position) < 0) return 'restored';
  if (object === undefined) return undefined;
  if (witness.type === 'delete' && object.uid === witness.uid) return 'restored';
  if (record.holds(witness, object)) return 'same';
  // The same state in other words: another version is served, other fields are redacted, or (built-in kinds) a list
  // puts it otherwise than a watch did.
  if (object.uid === witness.uid && object.resourceVersion === witness.resourceVersion) return undefined;
  // A newer state that alters nothing was told to us, but is not in the record.
  const newer = compareResourceVersions(object.resourceVersion, witness.resourceVersion) > 0;
  if (record.sparse === true && newer && object.uid === witness.uid) return undefined;
  // Anything else that is not newer than our position would have been told to us before.
  return compareResourceVersions(object.resourceVersion, position) <= 0 ? 'restored' : undefined;
}

/**
 * Nothing that lives is recorded: then nothing may exist that is older than our position. Only one object was looked at, and
 * another may be older: where there is one at all, a list shows it, at the price of the events that would come else.
 */
function judgeEmpty({ present, object }: Look, position: ResourceVersion): Verdict {
  if (compareResourceVersions(present, position) < 0) return 'restored';
  return object === undefined ? 'same' : 'unproven';
}

function witnessPath({ path, selector }: Collection, { namespace }: Revision): string {
  if (namespace === '' || selector.namespace !== undefined) return path;
  const slash = path.lastIndexOf('/');
  return `${path.slice(0, slash)}/namespaces/${encodeURIComponent(namespace)}${path.slice(slash)}`;
}

/** A consistent read of one object, or (without a witness) of whichever comes first. */
async function look(
  context: ProofContext,
  witness: Revision | undefined,
): Promise<Look | (WatchInput & { kind: 'status' })> {
  const deadline = startDeadline(context.clock, LOOK_MS, context.signal);
  try {
    return await lookNow({ ...context, signal: deadline.signal }, witness);
  } catch (error) {
    if (!deadline.expired) throw error;
    const message = `Cannot see where ${context.collection.path} stands: no answer came within ${LOOK_MS / 1000} s`;
    throw new Mk8sError(message, { code: 'unreachable', retryable: true, cause: error });
  } finally {
    deadline.stop();
  }
}

async function lookNow(
  { api, collection, signal, freshCredentials }: ProofContext,
  witness: Revision | undefined,
): Promise<Look | (WatchInput & { kind: 'status' })> {
  const { labelSelector, fieldSelector } = collection.selector;
  // With the stream's own selectors: an object that left them is as good as gone.
  const name = witness === undefined ? undefined : `metadata.name=${witness.name}`;
  const fields = [fieldSelector, name].filter((part) => part !== undefined).join(',');
  const query = { labelSelector, fieldSelector: fields === '' ? undefined : fields };
  const path = witness === undefined ? collection.path : witnessPath(collection, witness);
  // A witness is read whole, to be compared; without one, its metadata will do.
  const question = presentRequest(path, query, witness === undefined);
  const response = await api.request({ ...question, signal, freshCredentials });
  if (response.status !== 200) return refusal(response);
  let object: ScannedObject | undefined;
  for await (const part of decodeList(response.body)) {
    if (part.kind === 'end') return { present: part.resourceVersion, object };
    object ??= part.objects[0];
  }
  throw new Error('decodeList ended without its end part');
}

/** An HTTP answer that is not 200, as an input of the transition. */
export async function refusal(response: ApiResponse): Promise<WatchInput & { kind: 'status' }> {
  const status = parseStatus(await readAll(response.body), response.status);
  const header = Number(response.headers['retry-after']);
  const seconds = Number.isFinite(header) && header > 0 ? header : status.retryAfterSeconds;
  return {
    kind: 'status',
    code: response.status,
    reason: status.reason,
    message: status.message,
    ...(seconds === undefined ? {} : { retryAfterMs: seconds * 1000 }),
    ...(status.continueToken === undefined ? {} : { continueToken: status.continueToken }),
  };
}

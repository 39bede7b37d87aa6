// Does the stream's resourceVersion still mean the same? A cluster restored from a backup counts on from an older one, and a
// watch from the newer is accepted and silent (kubernetes#107457). Only a consistent read shows it (promise 10).
import { decodeList } from '../decode/list-stream.ts';
import { parseStatus } from '../decode/status.ts';
import { compareResourceVersions, type ResourceVersion } from '../model/resource-version.ts';
import { objectKey, type Revision, type ScannedObject } from '../model/revision.ts';
import type { ApiResponse, ApiServer } from '../ports/api-server.ts';
import { readAll } from './read-all.ts';
import type { RecordReader } from './record-reader.ts';
import { type Collection, presentRequest } from './requests.ts';
import type { Verdict, WatchInput } from './state.ts';

/** Newest revisions looked at, and different objects asked for, before giving up and comparing everything. */
const NEWEST = 64;
const MOST_WITNESSES = 12;

export interface Proof {
  readonly verdict: Verdict;
  /** The cluster's resourceVersion at that moment: a catch-up has to get there. */
  readonly present: ResourceVersion;
}

/**
 * Compares `position` with the cluster's present, and the newest recorded objects with their live state, until one
 * decides. Objects that changed or vanished since decide nothing: the watch will tell of them.
 * Returns the error Status where the server answered with one. Throws what the ApiServer throws.
 */
export async function prove(
  api: ApiServer,
  collection: Collection,
  position: ResourceVersion,
  record: RecordReader,
  options: { signal: AbortSignal; freshCredentials: boolean },
): Promise<Proof | (WatchInput & { kind: 'status' })> {
  const witnesses = distinct(await record.newest(NEWEST)).slice(0, MOST_WITNESSES);
  const { labelSelector, fieldSelector } = collection.selector;
  let present: ResourceVersion | undefined;
  for (const witness of witnesses) {
    const path = witnessPath(collection, witness);
    // With the stream's own selectors: an object that left them is as good as gone.
    const name = `metadata.name=${witness.name}`;
    const query = { labelSelector, fieldSelector: fieldSelector === undefined ? name : `${fieldSelector},${name}` };
    const answer = await look(api, path, query, options);
    if ('kind' in answer) return answer;
    present ??= answer.present;
    const verdict = judge(witness, answer, position, record.sparse);
    if (verdict !== undefined) return { verdict, present };
  }
  if (present !== undefined) return { verdict: 'unproven', present };
  const answer = await look(api, collection.path, { labelSelector, fieldSelector }, options);
  if ('kind' in answer) return answer;
  return { verdict: judgeEmpty(answer, position), present: answer.present };
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
  sparse = false,
): Verdict | undefined {
  if (compareResourceVersions(present, position) < 0) return 'restored';
  if (witness.type === 'delete') return object !== undefined && object.uid === witness.uid ? 'restored' : undefined;
  if (object === undefined) return undefined;
  if (object.uid === witness.uid && object.resourceVersion === witness.resourceVersion) return 'same';
  // A newer state that alters nothing was told to us, but is not in the record.
  const newer = compareResourceVersions(object.resourceVersion, witness.resourceVersion) > 0;
  if (sparse && newer && object.uid === witness.uid) return undefined;
  // Anything else that is not newer than our position would have been told to us before.
  return compareResourceVersions(object.resourceVersion, position) <= 0 ? 'restored' : undefined;
}

/** Nothing is recorded: then nothing may exist that is older than our position. */
function judgeEmpty({ present, object }: Look, position: ResourceVersion): Verdict {
  if (compareResourceVersions(present, position) < 0) return 'restored';
  return object !== undefined && compareResourceVersions(object.resourceVersion, position) <= 0 ? 'unproven' : 'same';
}

function distinct(revisions: readonly Revision[]): Revision[] {
  const seen = new Set<string>();
  return revisions.filter((revision) => {
    const key = objectKey(revision.namespace, revision.name);
    return seen.has(key) ? false : (seen.add(key), true);
  });
}

function witnessPath({ path, selector }: Collection, { namespace }: Revision): string {
  if (namespace === '' || selector.namespace !== undefined) return path;
  const slash = path.lastIndexOf('/');
  return `${path.slice(0, slash)}/namespaces/${encodeURIComponent(namespace)}${path.slice(slash)}`;
}

async function look(
  api: ApiServer,
  path: string,
  query: Record<string, string | undefined>,
  options: { signal: AbortSignal; freshCredentials: boolean },
): Promise<Look | (WatchInput & { kind: 'status' })> {
  const response = await api.request({ ...presentRequest(path, query), ...options });
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

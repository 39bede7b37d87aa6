// Taking a stream over (promise 6). Who does so *seals* the chain of the writer that the stream's document names: it creates the
// frame that would come next. So what that writer still sends is refused as a whole, wherever it was delayed; it then begins a
// new chain, and finds which streams it has lost.
import { displaced } from '../../history/fencing.ts';
import { RecentStates } from '../../history/recent-states.ts';
import { type StreamRef, streamKey } from '../../model/stream.ts';
import type { Clock } from '../../ports/clock.ts';
import { type Documents, Refused } from './documents.ts';
import type { Frames } from './frames.ts';
import { contested, parseStream, streamFields, streamPath, unknown, type View, viewFrom } from './head.ts';
import { frameId } from './names.ts';

const MOST_ATTEMPTS = 10;
/** Sealed chains are forgotten after this, milliseconds: nothing is delayed so long. */
const SEAL_LASTS_MS = 30 * 24 * 3_600_000;

interface TakeoverOptions {
  readonly documents: Documents;
  readonly frames: Frames;
  readonly clock: Clock;
  readonly makeId: () => string;
}

/** A stream as it stood when it was claimed, and the version of its document. */
type Claimed = View & { readonly version: string };

/**
 * Makes `writer` the one in whose chain the stream goes on. Throws Mk8sError `fenced` where the stream has seen a larger fence, and
 * `storage` where many want it at once.
 */
export type Claim = (ref: StreamRef, fence: number, writer: string) => Promise<Claimed>;

export function createTakeover({ documents, frames, clock, makeId }: TakeoverOptions): Claim {
  /** Of chains that are sealed, or being sealed. */
  const seals = new Map<string, Promise<void>>();

  async function claimOnce(ref: StreamRef, fence: number, writer: string): Promise<Claimed> {
    const path = streamPath(ref);
    const [document] = await documents.get([path]);
    if (document === undefined) {
      const head = { ...unknown, fence };
      const fields = streamFields(ref, writer, head, []);
      const [version = ''] = await documents.commit([{ kind: 'create', path, fields }]);
      return { version, head, table: [], recent: new RecentStates(), frames: 0, folded: 0 };
    }
    const stream = parseStream(document);
    if (fence < stream.head.fence) throw displaced(streamKey(ref), fence, stream.head.fence);
    if (stream.writer !== writer) await seal(stream.writer);
    const head = { ...stream.head, fence };
    const fields = streamFields(ref, writer, head, stream.table);
    const [version = ''] = await documents.commit([{ kind: 'change', path, fields, version: stream.version }]);
    return { version, ...(await viewFrom({ ...stream, head }, ref, frames)) };
  }

  /** No frame follows in the chain of this writer any more. */
  function seal(chain: string): Promise<void> {
    let sealing = seals.get(chain);
    if (sealing === undefined) {
      sealing = sealChain(chain);
      seals.set(chain, sealing);
      // What failed is tried again by the next one who needs it.
      sealing.catch(() => seals.delete(chain));
    }
    return sealing;
  }

  async function sealChain(chain: string): Promise<void> {
    for (let attempts = 1; ; attempts += 1) {
      const [last] = await documents.query({
        collection: 'frames',
        where: [{ field: 'writer', is: '==', value: chain }],
        orderBy: { field: 'number', descending: true },
        limit: 1,
        fields: ['number', 'sealed'],
      });
      if (last?.fields['sealed'] === true) return;
      const number = Number(last?.fields['number'] ?? 0) + 1;
      const expireAt = new Date(clock.now() + SEAL_LASTS_MS);
      const fields = { writer: chain, number, sealed: true, nonce: makeId(), expireAt };
      try {
        await documents.commit([{ kind: 'create', path: `frames/${frameId(chain, number)}`, fields }]);
        return;
      } catch (error) {
        // Its owner was faster.
        if (!(error instanceof Refused) || attempts === MOST_ATTEMPTS) throw error;
      }
    }
  }

  return async (ref, fence, writer) => {
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await claimOnce(ref, fence, writer);
      } catch (error) {
        if (!(error instanceof Refused) || attempts === MOST_ATTEMPTS) throw contested(error, ref);
      }
    }
  };
}

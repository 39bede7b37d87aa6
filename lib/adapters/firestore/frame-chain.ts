// The chain of frames that this process writes. A frame is created under the number that follows the last one, so that whoever
// seals the chain (takeover.ts) has all that comes after refused as a whole, wherever it was delayed.
//
// After a refusal, or an answer that never came, a new chain begins: no stream is owned in it before it is claimed, and claiming
// it seals the chain before. So what is on its way can no longer take effect.
import type { Clock } from '../../ports/clock.ts';
import { type Documents, Refused } from './documents.ts';
import { type Draft, framesOf, hasNews } from './draft.ts';
import { type Frame, frameWrites } from './frame.ts';
import { frameId } from './names.ts';
import type { Owned } from './owned.ts';

export interface FrameChain {
  /** Who claims a stream puts it into the stream's document. */
  readonly id: string;
  /** Grows with each chain that is begun. */
  readonly generation: number;
  /** True where the stream was claimed in this chain: what is known of it holds. */
  owns(owned: Owned | undefined): owned is Owned;
  beginAnew(): void;
  /**
   * Writes what is new in the drafts as the next frames, in one commit; resolves with them when they are durable. Throws
   * `Refused` where the chain is sealed, and what Documents throws: whether it happened is then unknown.
   */
  append(drafts: readonly Draft[]): Promise<readonly Omit<Frame, 'nonce'>[]>;
}

interface FrameChainOptions {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly makeId: () => string;
}

export function createFrameChain({ documents, clock, makeId }: FrameChainOptions): FrameChain {
  let writer = { id: makeId(), number: 0, generation: 0 };
  /** The next position, of whatever chain. */
  let next = 0;

  async function write(made: readonly Omit<Frame, 'nonce'>[]): Promise<void> {
    if (made.length === 0) return;
    const nonce = makeId();
    try {
      await documents.commit(made.flatMap((frame) => frameWrites({ ...frame, nonce })));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // Google's library asks again by itself after an answer that never came: then the frame that is in the way is ours.
      const first = made[0] as Frame;
      const [found] = await documents.get([`frames/${frameId(first.writer, first.number)}`]);
      if (found?.fields['nonce'] !== nonce) throw error;
    }
  }

  return {
    get id() {
      return writer.id;
    },
    get generation() {
      return writer.generation;
    },
    owns: (owned): owned is Owned => owned !== undefined && owned.generation === writer.generation,
    beginAnew() {
      writer = { id: makeId(), number: 0, generation: writer.generation + 1 };
    },
    async append(drafts) {
      const position = Math.max(next, clock.now() * 1024);
      // Another chain may begin before this commit is done: that one then starts at its first number, where it would be sealed.
      const mine = writer;
      const made = framesOf(drafts.filter(hasNews), { writer: mine.id, number: mine.number + 1, position });
      await write(made);
      mine.number += made.length;
      next = made.reduce((most, frame) => Math.max(most, frame.position + frame.entries.length + 1), position);
      return made;
    },
  };
}

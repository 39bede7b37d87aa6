// A stream that this process owns, as it wrote it: while it does, nothing has to be read to know where the stream stands.
import type { StreamRef } from '../../model/stream.ts';
import type { Draft } from './draft.ts';
import type { Frame } from './frame.ts';
import type { View } from './head.ts';

export interface Owned extends View {
  readonly ref: StreamRef;
  /** Of the chain in which it is written (frame-chain.ts). */
  readonly generation: number;
  /** Of its document. */
  version: string;
  head: View['head'];
  table: View['table'];
  frames: number;
  folded: number;
  /** Operations that are on their way. */
  pending: number;
  folding: Promise<void> | undefined;
}

/** A stream that was just taken over. */
export function ownedBy(generation: number, ref: StreamRef, claimed: View & Pick<Owned, 'version'>): Owned {
  return { ...claimed, ref, generation, pending: 0, folding: undefined };
}

/** What a commit did to the stream, once it is durable. `made`: the frames of the commit. */
export function settle(owned: Owned, draft: Draft, made: readonly Omit<Frame, 'nonce'>[]): void {
  owned.head = draft.head;
  for (const [key, state] of draft.states) owned.recent.set(key, state);
  const own = made.filter(({ parts }) => parts.some(({ stream }) => stream === draft.stream));
  owned.frames += own.length;
  const last = own.at(-1);
  if (last !== undefined) owned.head = { ...draft.head, position: last.position + last.entries.length + 1 };
}

// Ack arithmetic (promise 4): how far a checkpoint may go when revisions up to a sequence number are acknowledged.
import type { ResourceVersion } from '../model/resource-version.ts';

/** Marks kept: enough for any burst between two checkpoints; beyond that every other one is dropped, which only delays. */
const MOST_MARKS = 64;

export interface Acknowledgements {
  /** Everything up to `resourceVersion` is in the record once `sequence` is. In the order recorded. */
  mark(sequence: number, resourceVersion: ResourceVersion): void;
  /** The resourceVersion that is reached when everything up to `sequence` is acknowledged; undefined for no progress. */
  reached(sequence: number): ResourceVersion | undefined;
  /** Forgets all marks: a new epoch began. */
  clear(): void;
}

export function createAcknowledgements(): Acknowledgements {
  let marks: { sequence: number; resourceVersion: ResourceVersion }[] = [];

  function mark(sequence: number, resourceVersion: ResourceVersion): void {
    const last = marks.at(-1);
    if (last !== undefined && last.sequence === sequence) marks.pop();
    marks.push({ sequence, resourceVersion });
    if (marks.length > MOST_MARKS) marks = marks.filter((_, index) => index % 2 === 0 || index === marks.length - 1);
  }

  function reached(sequence: number): ResourceVersion | undefined {
    const covered = marks.filter((candidate) => candidate.sequence <= sequence);
    marks = marks.slice(covered.length);
    return covered.at(-1)?.resourceVersion;
  }

  return { mark, reached, clear: () => void (marks = []) };
}

// Which task follows a stream: rendezvous hashing, so that a change of the number of tasks moves as few as possible.
import { hash } from 'node:crypto';

/** The task, 0 to count − 1, whose hash with the key is the highest. */
export function ownerOf(key: string, count: number): number {
  const scores = Array.from({ length: count }, (_, index) => hash('sha256', `${index}\n${key}`, 'hex'));
  return scores.indexOf(scores.reduce((highest, score) => (score > highest ? score : highest)));
}

// The order of the log, as `mk8s tail -o json` prints it: one writer at a time leaves no gaps and no repetitions (promise 6).
import { readLines } from '../support/feed-commands.ts';

interface Line {
  readonly position: number;
  readonly sequence: number;
  readonly previous: number;
  readonly epoch: number;
  readonly cluster: string;
  readonly resource: string;
  readonly object: { readonly metadata: { readonly namespace?: string; readonly name: string } };
}

/**
 * Positions count every revision, sequence numbers those of a stream, both from 1; epochs of a stream only grow; each
 * revision names the one before of its object.
 */
export async function logFaults(data: string): Promise<readonly string[]> {
  const faults: string[] = [];
  const streams = new Map<string, { sequence: number; epoch: number }>();
  const objects = new Map<string, number>();
  let before = 0;
  await readLines(data, 'json', (text) => {
    const { position, sequence, previous, epoch, cluster, resource, object } = JSON.parse(text) as Line;
    const stream = `${cluster} ${resource}`;
    const at = `revision ${sequence} of ${stream} at position ${position}`;
    const last = streams.get(stream) ?? { sequence: 0, epoch: 1 };
    if (position !== before + 1) faults.push(`promise 6: ${at} follows position ${before}`);
    if (sequence !== last.sequence + 1) faults.push(`promise 6: ${at} follows revision ${last.sequence}`);
    if (epoch < last.epoch) faults.push(`promise 6: ${at} is of epoch ${epoch}, after ${last.epoch}`);
    const key = `${stream} ${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const known = objects.get(key) ?? 0;
    if (previous !== known) faults.push(`promise 6: ${at} says that ${previous} was before it, and ${known} was`);
    before = position;
    streams.set(stream, { sequence, epoch });
    objects.set(key, sequence);
  });
  return faults;
}

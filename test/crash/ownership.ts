// What the data folder says of owners and checkpoints, read as its tables are: fencing numbers only grow (promise 6), and
// no checkpoint is ahead of what the webhook acknowledged (promise 4).
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface Ownership {
  /** `acknowledged`: by `CLUSTER PLURAL.GROUP`, how many changes the webhook has taken. Remembers the fences it saw. */
  faults(data: string, acknowledged: ReadonlyMap<string, number>): string[];
  /** Streams whose checkpoint is not where their record ends, though all of it was acknowledged. */
  behind(data: string): string[];
}

interface Row {
  readonly ref: string;
  readonly sequence: number;
  readonly fence: number;
  readonly checkpoint: string | null;
}

export function createOwnership(): Ownership {
  const seen = new Map<string, number>();
  return {
    faults: (data, acknowledged) => rowsOf(data).flatMap((row) => rowFaults(row, seen, acknowledged)),
    behind: (data) =>
      rowsOf(data).flatMap((row) => {
        const published = checkpointOf(row)?.published ?? 0;
        return published === row.sequence
          ? []
          : [`promise 4: the checkpoint of ${streamOf(row)} stays at ${published} of ${row.sequence}`];
      }),
  };
}

function rowsOf(data: string): readonly Row[] {
  const database = new DatabaseSync(join(data, 'mk8s.db'), { readOnly: true, timeout: 5000 });
  try {
    return database.prepare('SELECT ref, sequence, fence, checkpoint FROM stream').all() as unknown as Row[];
  } finally {
    database.close();
  }
}

/** `CLUSTER PLURAL.GROUP`. */
function streamOf({ ref }: Row): string {
  const { cluster, group, plural } = JSON.parse(ref) as { cluster: string; group: string; plural: string };
  return `${cluster} ${plural}.${group}`;
}

function checkpointOf({ checkpoint }: Row): { readonly published: number; readonly fence: number } | undefined {
  return checkpoint === null
    ? undefined
    : (JSON.parse(checkpoint) as { readonly published: number; readonly fence: number });
}

function rowFaults(row: Row, seen: Map<string, number>, acknowledged: ReadonlyMap<string, number>): string[] {
  const { sequence, fence } = row;
  const stream = streamOf(row);
  const known = seen.get(stream) ?? 0;
  seen.set(stream, fence);
  const saved = checkpointOf(row);
  const published = saved?.published ?? 0;
  const taken = acknowledged.get(stream) ?? 0;
  return [
    ...(fence >= known ? [] : [`promise 6: the fence of ${stream} went back from ${known} to ${fence}`]),
    ...((saved?.fence ?? 0) <= fence ? [] : [`promise 6: ${stream} has a checkpoint of a fence that it never saw`]),
    ...(published <= sequence ? [] : [`promise 4: the checkpoint of ${stream} is at ${published} of ${sequence}`]),
    ...(published <= taken
      ? []
      : [`promise 4: the checkpoint of ${stream} is at ${published}; ${taken} were acknowledged`]),
  ];
}

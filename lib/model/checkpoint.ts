// Where a stream stands.
import type { ResourceVersion } from './resource-version.ts';

export interface Checkpoint {
  readonly epoch: number;
  /** Everything up to here is recorded and acknowledged by the bus. Absent until the first sync is. */
  readonly resourceVersion?: ResourceVersion;
  /** Sequence number of the last published revision, 0 for none. */
  readonly published: number;
  /** Fencing number of the lease under which it was written. */
  readonly fence: number;
  /** Milliseconds since 1970. */
  readonly updatedAt: number;
}

/** True where both are the same to who moves it on: when it was written does not count. */
export function isSameCheckpoint(a: Checkpoint | undefined, b: Checkpoint | undefined): boolean {
  return (
    a?.published === b?.published &&
    a?.epoch === b?.epoch &&
    a?.resourceVersion === b?.resourceVersion &&
    a?.fence === b?.fence
  );
}

// What the model knows of each stream's record: what took effect in the store, told by its watcher, and nothing else.
import type { Checkpoint } from '../../../lib/model/checkpoint.ts';
import { compareResourceVersions, type ResourceVersion } from '../../../lib/model/resource-version.ts';
import { type ObjectKey, objectKey, type Revision } from '../../../lib/model/revision.ts';
import { type StreamKey, type StreamRef, streamKey } from '../../../lib/model/stream.ts';
import type { AppendBatch } from '../../../lib/ports/revision-log.ts';

export interface StreamRecord {
  readonly ref: StreamRef;
  readonly key: StreamKey;
  /** The revision with sequence n is at n − 1. */
  readonly revisions: Revision[];
  readonly last: Map<ObjectKey, Revision>;
  epoch: number;
  /** The recorded position of this epoch. */
  resourceVersion: ResourceVersion | undefined;
  /** The same before the latest append, which may bring both the last of a sync and its end. */
  before: ResourceVersion | undefined;
  checkpoint: Checkpoint | undefined;
}

export interface RecordModel {
  readonly streams: ReadonlyMap<StreamKey, StreamRecord>;
  of(stream: StreamRef): StreamRecord;
  append(stream: StreamRef, batch: AppendBatch, revisions: readonly Revision[]): void;
  checkpoint(stream: StreamRef, next: Checkpoint): void;
  /** Revisions of all streams. */
  readonly size: number;
}

export function createRecordModel(): RecordModel {
  const streams = new Map<StreamKey, StreamRecord>();
  let size = 0;

  function of(ref: StreamRef): StreamRecord {
    const key = streamKey(ref);
    let found = streams.get(key);
    if (found === undefined) {
      found = {
        ref,
        key,
        revisions: [],
        last: new Map(),
        epoch: 0,
        resourceVersion: undefined,
        before: undefined,
        checkpoint: undefined,
      };
      streams.set(key, found);
    }
    return found;
  }

  return {
    streams,
    of,
    append(ref, { epoch, resourceVersion }, revisions) {
      const stream = of(ref);
      if (epoch > stream.epoch) stream.resourceVersion = undefined;
      stream.epoch = Math.max(stream.epoch, epoch);
      for (const revision of revisions) {
        stream.revisions.push(revision);
        stream.last.set(objectKey(revision.namespace, revision.name), revision);
      }
      size += revisions.length;
      const before = stream.resourceVersion;
      stream.before = before;
      if (resourceVersion === undefined) return;
      if (before === undefined || compareResourceVersions(resourceVersion, before) > 0) {
        stream.resourceVersion = resourceVersion;
      }
    },
    checkpoint(ref, next) {
      of(ref).checkpoint = next;
    },
    get size() {
      return size;
    },
  };
}

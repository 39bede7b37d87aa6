// A list as a stream (Kubernetes 1.32 and later, KEP-3157): the server sends object by object from its cache, and says
// when it has sent all. Servers without it refuse with 422; then it is pages.
import { Mk8sError } from '../../model/errors.ts';
import { compareResourceVersions, resourceVersion } from '../../model/resource-version.ts';
import type { ScannedObject } from '../../model/revision.ts';
import type { Clock } from '../../ports/clock.ts';
import { type ListEnd, listPages, type PageOptions } from './client-list.ts';
import { initialSilenceMs, watchStream } from './client-stream.ts';
import { statusError, type Target } from './rest.ts';

/** Whether a cluster has streaming lists, as far as is known; shared by all calls of one client. */
export interface StreamingSupport {
  /** True until the server refuses one. */
  streaming: boolean;
}

export interface ListSettings extends PageOptions {
  readonly clock: Clock;
  readonly support: StreamingSupport;
}

/** Lists a collection: as a stream where the server has that, else in pages. Yields the objects in batches as they arrive. */
export async function* listCollection(
  target: Target,
  settings: ListSettings,
): AsyncGenerator<readonly ScannedObject[], ListEnd, undefined> {
  const { support } = settings;
  if (!support.streaming) return yield* listPages(target, settings);
  let yielded = false;
  const stream = streamedList(target, settings);
  try {
    for (let next = await stream.next(); ; next = await stream.next()) {
      if (next.done === true) return next.value;
      yielded = true;
      yield next.value;
    }
  } catch (error) {
    if (!streamingFailed(error)) throw error;
    support.streaming = false;
    // What was yielded can't be taken back: the caller has to begin anew, which then asks for pages.
    if (yielded) throw error;
  } finally {
    await stream.return({ resourceVersion: '', consistent: false });
  }
  return yield* listPages(target, settings);
}

async function* streamedList(
  target: Target,
  settings: ListSettings,
): AsyncGenerator<readonly ScannedObject[], ListEnd, undefined> {
  const { attempt, clock } = settings;
  const lines = watchStream(target, {
    ...settings,
    from: 'initial',
    // Longer than any list takes; a silent server is noticed by its silence.
    timeoutSeconds: 3600,
    silenceMs: () => initialSilenceMs,
    clock,
  });
  let newest = resourceVersion('');
  let consistent = true;
  for await (const batch of lines) {
    const objects: ScannedObject[] = [];
    for (const line of batch) {
      if (line.kind === 'error') throw statusError(target, attempt, line.status);
      if (line.kind === 'bookmark') {
        if (!line.initialEventsEnd) continue;
        if (objects.length > 0) yield objects;
        return { resourceVersion: consistent ? line.resourceVersion : newest, consistent };
      }
      if (line.type === 'ADDED') {
        objects.push(line.object);
        if (consistent && compareResourceVersions(line.object.resourceVersion, newest) > 0) {
          newest = line.object.resourceVersion;
        }
      } else {
        // A change that came before the end. What was listed is as of `newest` at least; a watch from there brings it again.
        consistent = false;
      }
    }
    if (objects.length > 0) yield objects;
  }
  throw noInitialEnd(target, attempt);
}

/** The error of a stream that ended without saying that the existing objects were all sent. */
export function noInitialEnd(target: Target, attempt: string): Mk8sError {
  return new Mk8sError(
    `Cannot ${attempt} in cluster "${target.name}": the server ended the stream before it had marked the end of the existing objects; listing again uses pages`,
    { code: 'interrupted', retryable: true },
  );
}

/**
 * True for a server without streaming lists. It refuses with 422 Invalid (which field it names differs between versions:
 * kube-apiserver 1.20 and 1.36 with the gate off), or ignores the parameters and never marks the end.
 */
export function streamingFailed(error: unknown): boolean {
  if (!(error instanceof Mk8sError)) return false;
  return isInterruption(error) || (error.status === 422 && error.reason === 'Invalid');
}

/** True where the connection broke off, at a line's end or in the middle of one. */
export function isInterruption(error: Mk8sError): boolean {
  return error.code === 'interrupted' || (error.code === 'protocol' && error.retryable);
}

// Promise 10: what was not seen live is marked as such, gaps are counted, and a restore that is noticed is reported, begins an
// epoch, and is acted on by every stream of the cluster.
//
// The exception that docs/watch.md states: a restore that nothing shows. Where all that it undid is gone anyway, or was
// written again before anybody could look, no reading of the cluster differs from one without a restore.

import { formatGroupResource } from '../../../lib/model/resource.ts';
import type { Revision } from '../../../lib/model/revision.ts';
import type { StreamKey, StreamRef } from '../../../lib/model/stream.ts';
import type { ReportEntry } from '../../../lib/ports/reporter.ts';
import { type Model, nameOf } from '../model/model.ts';
import type { Check } from '../model/observer.ts';
import type { SimProcess } from '../process.ts';

const types = { add: 'ADDED', update: 'MODIFIED', delete: 'DELETED' } as const;
/** Within this, milliseconds, a run says why it began an epoch. */
const TOLD_WITHIN_MS = 1_000;
/** Streams that notice a restore by themselves do so at different times, milliseconds. */
const HEARD_WITHIN_MS = 300_000;

interface Epoch {
  readonly at: number;
  readonly process: SimProcess;
}

export function visible(model: Model): Check {
  const began = new Map<StreamKey, Epoch[]>();
  const epochs = new Map<StreamKey, number>();
  const reports: { at: number; process: SimProcess; entry: ReportEntry }[] = [];
  const gaps = new Map<string, number>();
  /** Who wrote last. */
  const owners = new Map<StreamKey, SimProcess>();

  function checkOrigin(revision: Revision): void {
    const { stream, origin, type, uid, resourceVersion } = revision;
    const served = model.clusters.get(stream.cluster)?.served;
    if (served === undefined) return;
    const what = `${formatGroupResource(stream)} ${uid} ${resourceVersion}`;
    const told = `${type} of ${revision.namespace}/${revision.name} at ${resourceVersion} in ${nameOf(model, stream)}`;
    if (origin === 'watch') {
      if (!served.events.has(`${what} ${types[type]}`))
        model.fail(10, `${told} is marked as seen live, and no watch told of it`);
    } else if (type !== 'delete' && !served.listed.has(what) && !served.events.has(`${what} ADDED`)) {
      // Live additions before the end mark of a streaming list cannot be told from its objects.
      model.fail(10, `${told} is marked ${origin}, and was in no list`);
    }
    if (origin === 'snapshot' && model.record.of(stream).before !== undefined) {
      model.fail(10, `${told} is marked as part of a first sync, and that was complete`);
    }
  }

  /** A new epoch has a reason: the resource ended, or the cluster was restored, and then it is said. */
  function checkReason(key: StreamKey, cluster: string, { at, process }: Epoch): void {
    if (!process.alive) return;
    // It is said before the epoch begins, and a store without room keeps that waiting.
    const since = began.get(key)?.findLast((other) => other.at < at)?.at ?? 0;
    const said = reports.some(
      (report) =>
        report.process === process &&
        report.at >= since &&
        report.at <= at + TOLD_WITHIN_MS &&
        report.entry.cluster?.startsWith(cluster) === true &&
        report.entry.message.includes('was restored to an older state'),
    );
    const { truth } = model.clusters.get(model.record.streams.get(key)?.ref.cluster as never) ?? {};
    const ended = truth?.definitions().some(({ type }) => type === 'deleted') ?? false;
    if (!said && !ended)
      model.fail(10, `${process.name} began an epoch of ${key} and did not say that ${cluster} was restored`);
    if (!ended && (truth?.lives().length ?? 1) === 1)
      model.fail(10, `${process.name} began an epoch of ${key}, and ${cluster} was never restored`);
  }

  /** A cluster is restored as a whole: what one stream noticed, all that the same run followed have acted on. */
  function checkHeard(noticed: StreamRef, { at, process }: Epoch): void {
    const cluster = model.clusters.get(noticed.cluster);
    if (cluster === undefined || cluster.truth.definitions().length > 0) return;
    for (const stream of model.record.streams.values()) {
      const { ref, key } = stream;
      const first = stream.revisions[0];
      if (ref.cluster !== noticed.cluster || owners.get(key) !== process || first === undefined) continue;
      if (first.observedAt > at - HEARD_WITHIN_MS) continue;
      const acted = began.get(key)?.some((epoch) => epoch.at > at - HEARD_WITHIN_MS) ?? false;
      if (!acted)
        model.fail(
          10,
          `${process.name} noticed by ${nameOf(model, noticed)} that the cluster was restored, and ${nameOf(model, ref)} went on`,
        );
    }
  }

  return {
    onAppend(process, stream, { epoch }, revisions) {
      for (const revision of revisions) checkOrigin(revision);
      const { key } = model.record.of(stream);
      owners.set(key, process);
      const before = epochs.get(key) ?? epoch;
      epochs.set(key, epoch);
      if (epoch <= before || before === 0) return;
      const all = began.get(key) ?? [];
      const one = { at: model.scheduler.now(), process };
      began.set(key, [...all, one]);
      const name = model.clusters.get(stream.cluster)?.name ?? '';
      model.scheduler.after(TOLD_WITHIN_MS, () => checkReason(key, name, one));
    },
    onCaughtUp() {
      const running = new Set(model.bridges().map(({ process }) => process));
      for (const [key, all] of began) {
        const { ref } = model.record.streams.get(key) ?? {};
        const last = all.at(-1);
        if (ref === undefined || last === undefined || !running.has(last.process)) continue;
        checkHeard(ref, last);
      }
    },
    onReport(process, entry) {
      const { message, cluster, resource } = entry;
      const isGap =
        message.includes('resourceVersion expired (410)') || message.includes('was restored to an older state');
      if (!isGap) return;
      reports.push({ at: model.scheduler.now(), process, entry });
      const board = model.bridges().find((bridge) => bridge.process === process)?.board;
      const rows = board
        ?.snapshot(0)
        .filter((row) => row.clusterName === cluster && formatGroupResource(row.stream) === resource);
      const count = rows?.reduce((sum, row) => sum + row.gaps, 0) ?? 0;
      const key = `${process.name} ${cluster} ${resource}`;
      if (count <= (gaps.get(key) ?? 0))
        model.fail(10, `${process.name} said of a gap in ${resource} and did not count it: ${message}`);
      gaps.set(key, count);
    },
  };
}

// Breaks of the watch: what moves the position, what a comparison finds, how a restore is noticed.
import type { Mutation } from './mutation.ts';

export const watchMutations: readonly Mutation[] = [
  {
    name: 'the position moves before its events are recorded',
    breaks: 1,
    file: 'lib/bridge/recorder.ts',
    find: `        return await append(observedEvents(output.events), output.resourceVersion);`,
    replace: `        await append([], output.resourceVersion);
        return await append(observedEvents(output.events), undefined);`,
  },
  {
    name: 'a bookmark during the first sync is taken',
    breaks: 1,
    file: 'lib/watch/open-watch.ts',
    find: `    if (end.kind !== 'bookmark' || !end.initialEventsEnd) return yield { input: { kind: 'unfit' } };`,
    replace: `    if (end.kind !== 'bookmark') return yield { input: { kind: 'unfit' } };`,
  },
  {
    name: 'a page of a list moves the position',
    breaks: 1,
    file: 'lib/bridge/recorder.ts',
    find: `        return await bury(comparison?.reconcile?.flush(output.asOf));`,
    replace: `        await bury(comparison?.reconcile?.flush(output.asOf));
        return await append([], output.asOf);`,
  },
  {
    name: 'an expired resourceVersion is counted up until the server takes it',
    breaks: 1,
    file: 'lib/watch/transition.ts',
    find: `      return sync(state.memory, 'gap');`,
    replace: `      return { ...state, resourceVersion: String(Number(state.resourceVersion) + 9) as typeof state.resourceVersion };`,
  },
  {
    name: 'tombstones of a complete list are dropped',
    breaks: 1,
    file: 'lib/bridge/recorder.ts',
    find: `        await bury(comparison?.reconcile?.finish(output.asOf));`,
    replace: `        comparison?.reconcile?.finish(output.asOf);`,
  },
  {
    name: 'tombstones are written before a page is complete',
    breaks: 1,
    file: 'lib/watch/reconcile.ts',
    find: `      if (skipped > 0) gaps.push({ after: before, before: key, missing: skipped });`,
    replace: `      if (skipped > 0) gaps.push({ after: undefined, before: key, missing: skipped });`,
  },
  {
    name: 'deletions of a watch are dropped',
    breaks: 1,
    file: 'lib/bridge/recorder.ts',
    find: `append(observedEvents(output.events), output.resourceVersion);`,
    replace: `append(
          observedEvents(output.events.filter(({ type }) => type !== 'DELETED')),
          output.resourceVersion,
        );`,
  },
  {
    name: 'pages of two snapshots are taken for one',
    breaks: 1,
    file: 'lib/watch/transition.ts',
    find: `continueToken, consistent: false };`,
    replace: `continueToken, consistent: true };`,
  },
  {
    name: 'a lost connection begins again without a proof',
    breaks: 10,
    file: 'lib/watch/transition.ts',
    find: `  return state.kind === 'watching' ? { ...state, kind: 'probing' } : state;`,
    replace: `  return state;`,
  },
  {
    name: 'a restored cluster is taken for the same',
    breaks: 10,
    file: 'lib/watch/transition.ts',
    find: `      if (input.verdict === 'same') {`,
    replace: `      if (input.verdict !== 'unproven') {`,
  },
  {
    name: 'a restore does not begin an epoch',
    breaks: 10,
    file: 'lib/bridge/recorder.ts',
    find: `    if (sync.epoch !== epoch) await beginEpoch(sync.epoch);`,
    replace: ``,
  },
  {
    name: 'a list that is older than the record is not noticed',
    breaks: 10,
    file: 'lib/bridge/recorder.ts',
    find: `  return comparison?.wentBack === true || comparison?.reconcile?.wentBack === true;`,
    replace: `  return comparison === undefined && false;`,
  },
  {
    name: 'what a comparison finds is not marked',
    breaks: 10,
    file: 'lib/watch/reconcile.ts',
    find: `    return { ...object, type, origin: context.origin, asOf: object.resourceVersion, observedAt: context.now() };`,
    replace: `    return { ...object, type, origin: 'watch', asOf: object.resourceVersion, observedAt: context.now() };`,
  },
  {
    name: 'half-open connections are waited for',
    breaks: 'live',
    file: 'lib/async/deadline.ts',
    find: `        expired = true;
        controller.abort(`,
    replace: `        void (`,
  },
  {
    name: 'an object made anew under its name gets no tombstone',
    breaks: 1,
    file: 'lib/watch/reconcile.ts',
    find: `      return [...(await tombstones([state], sameEpoch ? state.asOf : beginning)), observed(object, 'add')];`,
    replace: `      return [observed(object, 'add')];`,
  },
  {
    name: 'what a comparison gathered is dropped where it ends',
    breaks: 1,
    file: 'lib/bridge/recorder.ts',
    find: `        await append(gathered.take(), undefined);
        if (isRestored(comparison)) return;`,
    replace: `        gathered.take();
        if (isRestored(comparison)) return;`,
  },
];

// Breaks of the bridge: publishing, checkpoints, ownership, memory, clusters, tailing.
import type { Mutation } from './mutation.ts';

export const bridgeMutations: readonly Mutation[] = [
  {
    name: 'checkpoint before publish',
    breaks: 4,
    file: 'lib/bridge/publisher.ts',
    find: `      await untilAcknowledged(sink, batch, signal);`,
    replace: `      untilAcknowledged(sink, batch, signal).catch(() => undefined);`,
  },
  {
    name: 'a batch that a sink refused is passed over',
    breaks: 1,
    file: 'lib/bridge/publisher.ts',
    find: `        const known = error instanceof Mk8sError ? error : undefined;
        const blocked`,
    replace: `        if (failures > 1) return;
        const known = error instanceof Mk8sError ? error : undefined;
        const blocked`,
  },
  {
    name: 'what was recorded and not published is forgotten in a crash',
    breaks: 1,
    file: 'lib/bridge/publisher.ts',
    find: `  let published = Math.min(checkpoint?.published ?? 0, replayed);`,
    replace: `  let published = replayed;`,
  },
  {
    name: 'published in another order',
    breaks: 2,
    file: 'lib/bridge/publisher.ts',
    find: `        await to.publish(batch, signal, () => {`,
    replace: `        await to.publish(batch.toReversed(), signal, () => {`,
  },
  {
    name: 'a checkpoint takes the newest position, not the contiguous one',
    breaks: 4,
    file: 'lib/bridge/acknowledgements.ts',
    find: `    return covered.at(-1)?.resourceVersion;`,
    replace: `    return (marks.at(-1) ?? covered.at(-1))?.resourceVersion;`,
  },
  {
    name: 'revisions that did not fit into memory are not read back',
    breaks: 1,
    file: 'lib/bridge/publisher.ts',
    find: `    if (revisions[0]?.sequence !== expected || !budget.tryTake(bytes)) return;`,
    replace: `    if (expected < 0 || !budget.tryTake(bytes)) return;`,
  },
  {
    name: 'published before it is recorded',
    breaks: 3,
    file: 'lib/bridge/recorder.ts',
    find: `        const appended = await log.append(stream, batch);`,
    replace: `        const known = await log.position(stream);
        const appended = batch.changes.map((change, i) => ({
          ...change,
          stream,
          epoch: batch.epoch,
          sequence: known.sequence + i + 1,
          position: known.sequence + i + 1,
          previous: 0,
        }));
        log.append(stream, batch).catch(() => undefined);`,
  },
  {
    name: 'ids are random',
    breaks: 5,
    file: 'lib/model/revision.ts',
    find: "  return hash('sha256', `${cluster}\\n${epoch}\\n${uid}",
    replace: "  return hash('sha256', `${Math.random()}\\n${cluster}\\n${epoch}\\n${uid}",
  },
  {
    name: 'ids do not know the epoch',
    breaks: 5,
    file: 'lib/model/revision.ts',
    find: '`${cluster}\\n${epoch}\\n${uid}',
    replace: '`${cluster}\\n${uid}',
  },
  {
    name: 'a redelivered event is recorded again',
    breaks: 2,
    file: 'lib/history/accepts.ts',
    find: `  return order > 0 || (order === 0`,
    replace: `  return order >= 0 || (order === 0`,
  },
  {
    name: 'older states are recorded over newer ones',
    breaks: 2,
    file: 'lib/history/accepts.ts',
    find: `  return order > 0 || (order === 0`,
    replace: `  return order !== 0 || (order === 0`,
  },
  {
    name: 'fencing off: appends',
    breaks: 6,
    file: 'lib/history/fencing.ts',
    find: `  if (fence < seen.fence) throw`,
    replace: `  if (fence < 0) throw`,
  },
  {
    name: 'fencing off: checkpoints',
    breaks: 6,
    file: 'lib/history/fencing.ts',
    find: `  if (next.fence < seen.fence) {`,
    replace: `  if (next.fence < 0) {`,
    faults: ['process.overlap', 'process.freeze', 'process.skew'],
  },
  {
    name: 'a lease is taken while another run holds it',
    breaks: 6,
    file: 'lib/adapters/disk/disk-leases.ts',
    find: `          if (stored.expires_at > now && !isDead) {`,
    replace: `          if (stored.expires_at > now + 15_000 && !isDead) {`,
  },
  {
    name: 'a change of owner does not raise the fence',
    breaks: 6,
    file: 'lib/adapters/disk/disk-leases.ts',
    find: `fence: (stored?.fence ?? 0) + (isMine ? 0 : 1),`,
    replace: `fence: Math.max(1, stored?.fence ?? 0),`,
  },
  {
    name: 'a group commit is acknowledged before it is durable',
    breaks: 1,
    file: 'lib/adapters/disk/append-queue.ts',
    find: `    for (const waiting of group) waiting.reject(error);`,
    replace: `    for (const waiting of group) waiting.resolve([]);`,
  },
  {
    name: 'the memory budget lets everything in',
    breaks: 7,
    file: 'lib/bridge/byte-budget.ts',
    find: `      if (taken + bytes > limit) return false;`,
    replace: ``,
  },
  {
    name: 'one cluster after the other is identified',
    breaks: 8,
    file: 'lib/discover/inventory.ts',
    find: `      for (const candidate of candidates) add(candidate, source, order);`,
    replace: `      for (const candidate of candidates) {
        add(candidate, source, order);
        const added = entries.get(keyOf(candidate));
        while (added?.tried === false) await clock.sleep(100, signal);
      }`,
  },
  {
    name: 'Secrets are recorded as they are',
    breaks: 9,
    file: 'lib/history/redact.ts',
    find: `  matches: (resource) => formatGroupResource(resource) === 'secrets',`,
    replace: `  matches: () => false,`,
  },
  {
    name: 'the tombstones of a removed resource are left out',
    breaks: 1,
    file: 'lib/bridge/recorder.ts',
    find: `    await bury(reconcile.finish());`,
    replace: `    void reconcile;`,
  },
  {
    name: 'a resource that discovery does not list is taken for gone',
    breaks: 1,
    file: 'lib/bridge/run-cluster.ts',
    find: `      return (await task.discovery.isGone(task.cluster.api, resource, limit.signal)) ? 'gone' : 'unproven';`,
    replace: `      return 'gone';`,
  },
  {
    name: 'what one stream notices of a restore is not told to the others',
    breaks: 10,
    file: 'lib/bridge/restore-notices.ts',
    find: `          for (const member of members) tell(member);`,
    replace: `          void members;`,
    faults: ['cluster.restorePast', 'cluster.restoreBack'],
  },
  {
    name: 'gaps are not counted',
    breaks: 10,
    file: 'lib/bridge/stream-progress.ts',
    find: `      row.gaps += gaps;`,
    replace: ``,
  },
  {
    name: 'a subscription is acknowledged before its changes are written',
    breaks: 1,
    file: 'lib/cli/tail/deliver.ts',
    find: `      if (revisions.length > 0) await hand(revisions);`,
    replace: `      if (subscription !== undefined) await folder.subscriptions.acknowledge(subscription, page.position);
      if (revisions.length > 0) await hand(revisions);`,
  },
  {
    name: 'a stream that failed is not tried again',
    breaks: 'live',
    file: 'lib/bridge/run-cluster.ts',
    find: `      const delay = backoffDelay(failures, RETRY, services.random);`,
    replace: `      const delay = 1_000_000_000 * failures;`,
  },
  {
    name: 'a cluster that returns under another name is not followed again',
    breaks: 'live',
    file: 'lib/bridge/bridge.ts',
    find: `      if (present.get(id)?.api !== entry.cluster.api) dismiss(id, entry);`,
    replace: `      if (present.get(id) === undefined) dismiss(id, entry);`,
    faults: ['process.movedAway', 'process.aliased'],
  },
  {
    name: 'a proof that failed once is not asked for again',
    breaks: 'live',
    file: 'lib/bridge/run-cluster.ts',
    find: `        settled = await endGone(discovered);`,
    replace: `        await endGone(discovered);`,
    faults: ['cluster.definitionDeleted', 'http.unavailable', 'http.forbidden', 'connection.reset'],
  },
];

// What the stages of the bridge need around them, in memory: services of a run, a sink that remembers and can fail, and a
// cluster whose objects change by hand and that answers lists and watches as API servers do.
import { createShares } from '../../lib/async/shares.ts';
import { createWake } from '../../lib/async/wake.ts';
import { createByteBudget } from '../../lib/bridge/byte-budget.ts';
import { createLeaseKeeper } from '../../lib/bridge/lease-keeper.ts';
import { createStatusBoard } from '../../lib/bridge/status-board.ts';
import type { StreamServices } from '../../lib/bridge/stream-task.ts';
import { createTally } from '../../lib/bridge/tally.ts';
import { cloudEventAttributes } from '../../lib/model/cloud-event.ts';
import { Mk8sError } from '../../lib/model/errors.ts';
import type { Revision } from '../../lib/model/revision.ts';
import type { EventSink } from '../../lib/ports/event-sink.ts';
import type { Holder } from '../../lib/ports/lease-store.ts';
import type { ReportEntry } from '../../lib/ports/reporter.ts';
import type { FakeAnswer, FakeApiServer } from './fake-api-server.ts';
import { fakeApiServer, statusAnswer } from './fake-api-server.ts';
import type { MemoryStore } from './memory-store.ts';
import type { ScriptedClock } from './scripted-clock.ts';
import { scriptedPolicy } from './scripted-watch.ts';
import { bookmark, errorLine, initialEnd, line } from './watch-lines.ts';

export interface MemorySink extends EventSink {
  /** All that was acknowledged, in order. */
  readonly published: Revision[];
  /** Called before each acknowledgement; what it throws is the sink's failure. */
  before: (batch: readonly Revision[], signal: AbortSignal) => void | Promise<void>;
}

export function memorySink(): MemorySink {
  const sink: MemorySink = {
    name: 'memory:',
    published: [],
    before: () => undefined,
    async publish(batch, signal) {
      await sink.before(batch, signal);
      sink.published.push(...batch);
    },
    close: () => Promise.resolve(),
  };
  return sink;
}

/** `type name@resourceVersion`, of each. */
export function changesOf(revisions: readonly Revision[]): string[] {
  return revisions.map(({ type, name, resourceVersion }) => `${type} ${name}@${resourceVersion}`);
}

export const idsOf = (revisions: readonly Revision[]): string[] =>
  revisions.map((revision) => cloudEventAttributes(revision).id);

const unreachable = (): Mk8sError =>
  new Mk8sError('Cannot reach the cluster.', { code: 'unreachable', retryable: true });

export interface ScriptedRun extends StreamServices {
  readonly reports: ReportEntry[];
}

/** The services of one run (one holder) over a store. */
export function scriptedRun(
  store: MemoryStore,
  clock: ScriptedClock,
  { id = 'run-1', ...more }: Partial<StreamServices> & { id?: string } = {},
): ScriptedRun {
  const holder: Holder = { id, description: id, host: 'here', pid: 1 };
  const reports: ReportEntry[] = [];
  const report = (entry: ReportEntry): void => void reports.push(entry);
  return {
    log: store.log,
    checkpoints: store.checkpoints,
    leases: createLeaseKeeper({ leases: store.leases, holder, clock, report }),
    sink: undefined,
    redact: [],
    ignoreNoop: false,
    mode: 'follow',
    policy: scriptedPolicy,
    syncs: createShares(8),
    budget: createByteBudget(1024 * 1024),
    board: createStatusBoard(),
    tally: createTally(),
    clock,
    random: () => 0.5,
    report,
    showStatus: () => Promise.resolve(),
    reports,
    ...more,
  };
}

interface StoredObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
  readonly spec: unknown;
}

/** A cluster with one cluster-scoped resource, `widgets`. */
export interface ScriptedCluster {
  readonly api: FakeApiServer;
  set(name: string, spec: unknown): void;
  delete(name: string): void;
  /** Forgets what happened so far: a watch from before is 410. */
  compact(): void;
  /** `drop`: open streams break, and requests fail, until called with false. */
  down(is: boolean): void;
  /** Every answer is this status, until called with undefined. */
  refuse(code: number | undefined): void;
  /** What is live, by name. */
  readonly objects: ReadonlyMap<string, StoredObject>;
  readonly version: number;
  /** By name, the last change up to `version`. */
  changedUpTo(version: number): ReadonlyMap<string, { readonly version: number; readonly deleted: boolean }>;
}

/** With a `clock`, watches end after their timeoutSeconds, with a bookmark 2 s before, as those of API servers do. */
export function scriptedCluster({
  streamingLists = true,
  clock,
}: {
  readonly streamingLists?: boolean;
  readonly clock?: ScriptedClock;
} = {}): ScriptedCluster {
  const objects = new Map<string, StoredObject>();
  const events: { version: number; name: string; deleted: boolean; text: string }[] = [];
  const readers = new Set<ReturnType<typeof createWake>>();
  const snapshots = new Map<number, StoredObject[]>();
  let version = 10;
  let compacted = 10;
  let refused: number | undefined;
  let isDown = false;
  let made = 0;
  const whole = (object: StoredObject): object => ({ apiVersion: 'example.com/v1', kind: 'Widget', ...object });

  function happened(type: string, object: StoredObject): void {
    events.push({ version, name: object.metadata.name, deleted: type === 'DELETED', text: line(type, whole(object)) });
    for (const reader of readers) reader.notify();
  }
  function set(name: string, spec: unknown): void {
    version += 1;
    const before = objects.get(name);
    const uid = before?.metadata.uid ?? `uid-${name}-${(made += 1)}`;
    const object = { metadata: { name, uid, resourceVersion: String(version) }, spec };
    objects.set(name, object);
    happened(before === undefined ? 'ADDED' : 'MODIFIED', object);
  }
  function remove(name: string): void {
    const before = objects.get(name);
    if (before === undefined) return;
    version += 1;
    objects.delete(name);
    happened('DELETED', { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } });
  }

  const inOrder = (): StoredObject[] =>
    [...objects.values()].sort((a, b) => Buffer.compare(Buffer.from(a.metadata.name), Buffer.from(b.metadata.name)));

  async function* watch(
    from: number,
    first: string,
    signal: AbortSignal | undefined,
    seconds: number,
  ): AsyncGenerator<string> {
    let at = from;
    if (first !== '') yield first;
    const reader = createWake();
    readers.add(reader);
    const over = new AbortController();
    const either = AbortSignal.any([over.signal, ...(signal === undefined ? [] : [signal])]);
    const timer = { bookmark: false, end: false };
    const wakes = async (what: keyof typeof timer, ms: number): Promise<void> => {
      await clock?.sleep(ms, either);
      timer[what] = true;
      reader.notify();
    };
    if (clock !== undefined) {
      wakes('bookmark', (seconds - 2) * 1000).catch(() => undefined);
      wakes('end', seconds * 1000).catch(() => undefined);
    }
    try {
      for (;;) {
        if (isDown) throw unreachable();
        const news = events.filter((event) => event.version > at);
        for (const event of news) yield event.text;
        at = version;
        if (news.length > 0 || timer.bookmark) yield bookmark(String(version));
        timer.bookmark = false;
        if (timer.end) return;
        await reader.wait(either);
      }
    } finally {
      readers.delete(reader);
      over.abort(new Error('the watch ended'));
    }
  }

  /** Later pages show what was when the first one was asked for, as long as that is not forgotten. */
  function page(token: string, limit: number, named: string | undefined): FakeAnswer {
    if (token === '') snapshots.set(version, inOrder());
    const [at = String(version), after = ''] = token === '' ? [] : token.split(' ');
    if (Number(at) < compacted) return statusAnswer(410, 'Expired', 'the continue token is too old');
    const all = (snapshots.get(Number(at)) ?? []).filter(
      ({ metadata }) => metadata.name > after && (named === undefined || metadata.name === named),
    );
    const items = all.slice(0, Math.min(limit, 3)).map(whole);
    const last = all[items.length - 1]?.metadata.name ?? '';
    const metadata = { resourceVersion: at, continue: items.length < all.length ? `${at} ${last}` : '' };
    return { body: JSON.stringify({ apiVersion: 'example.com/v1', kind: 'WidgetList', items, metadata }) };
  }

  const api = fakeApiServer((request) => {
    const { query = {}, signal } = request;
    const lasts = Number(query.timeoutSeconds);
    if (isDown) throw unreachable();
    if (refused !== undefined) return statusAnswer(refused, 'Refused', 'no');
    if (query.sendInitialEvents === true) {
      if (!streamingLists) return statusAnswer(422, 'Invalid', 'no');
      const first = inOrder().map((object) => line('ADDED', whole(object)));
      return { body: watch(version, first.join('') + initialEnd(String(version)), signal, lasts) };
    }
    if (query.watch === true) {
      const from = Number(query.resourceVersion);
      if (from < compacted) return { body: errorLine(410, 'Expired', 'too old resource version') };
      return { body: watch(from, '', signal, lasts) };
    }
    const named = /metadata\.name=([^,]*)/.exec(String(query.fieldSelector ?? ''))?.[1];
    return page(String(query.continue ?? ''), Number(query.limit), named);
  });
  return {
    api,
    set,
    delete: remove,
    compact: () => void (compacted = version),
    down(is) {
      isDown = is;
      for (const reader of readers) reader.notify();
    },
    refuse: (code) => void (refused = code),
    objects,
    changedUpTo: (last) => new Map(events.filter((event) => event.version <= last).map((event) => [event.name, event])),
    get version() {
      return version;
    },
  };
}

// The way from a simulated process to Firestore: calls take time, fail, and go astray. What a process has sent may take effect after it
// was told that it failed, after it has died, after another has taken its work over, or never.
import { type Documents, Refused, type Write } from '../../lib/adapters/firestore/documents.ts';
import { Mk8sError } from '../../lib/model/errors.ts';
import type { Faults } from './fault-dice.ts';
import type { SimProcess } from './process.ts';
import type { Scheduler } from './scheduler.ts';

/** One way, at most, milliseconds. */
const WAY_MS = 8;
/** How long a slow commit takes at most, milliseconds. */
const SLOW_MS = 3_000;
/** How much later than its failure was told a commit may still take effect, milliseconds. */
const LATE_MS = 90_000;

type Kind = 'append' | 'checkpoint' | 'lease' | 'status';

export interface FirestoreNetwork {
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  /** True while the quota is used up. */
  readonly isFull: () => boolean;
  /** What a process sent took effect. */
  readonly tell: (process: SimProcess, writes: readonly Write[]) => void;
}

/** Firestore as a process sees it. */
export function overNetwork(
  process: SimProcess,
  database: Documents,
  { scheduler, faults, isFull, tell }: FirestoreNetwork,
): Documents {
  const dice = process.dice.fork('firestore');

  /** What is on its way goes on without the process. */
  const travel = (ms: number): Promise<void> => new Promise((resolve) => scheduler.after(ms, resolve));
  const answer = (): Promise<void> => process.clock.sleep(1 + dice.int(WAY_MS));

  async function reading<T>(read: () => Promise<T>): Promise<T> {
    await travel(1 + dice.int(WAY_MS));
    const found = await read();
    await answer();
    if (faults.strikes('store', 'readFails')) throw away('read');
    return found;
  }

  async function arrive(writes: readonly Write[]): Promise<readonly string[]> {
    // Half of what the dead have sent is lost with their connections.
    if (!process.alive && dice.chance(0.5)) throw away('write');
    const versions = await database.commit(writes);
    tell(process, writes);
    return versions;
  }

  /** The caller is told that it failed; what really becomes of it differs. */
  async function goAstray(writes: readonly Write[], how: 'told' | 'late' | 'again'): Promise<readonly string[]> {
    if (how === 'late') {
      void travel(dice.int(LATE_MS)).then(() => arrive(writes).catch(expected));
      await answer();
      throw away('write');
    }
    await travel(1 + dice.int(WAY_MS));
    await arrive(writes);
    // Google's library asks again by itself, and is refused because of itself.
    if (how === 'again') await travel(1 + dice.int(SLOW_MS));
    const versions = how === 'again' ? await arrive(writes) : [];
    await answer();
    if (how === 'told') throw away('write');
    return versions;
  }

  async function commit(writes: readonly Write[]): Promise<readonly string[]> {
    const kind = kindOf(writes);
    if (isFull()) {
      await answer();
      throw new Mk8sError('Cannot write in the simulated Firestore: its quota is used up', {
        code: 'full',
        retryable: true,
      });
    }
    if (kind !== undefined && faults.strikes('store', `${kind}Fails`)) {
      await answer();
      throw away('write');
    }
    if (kind !== undefined && kind !== 'status' && faults.strikes('store', `${kind}FailsAfter`)) {
      return await goAstray(writes, faults.dice('store', `${kind}FailsAfter`).pick(['told', 'late', 'again']));
    }
    const slow = kind === 'append' && faults.strikes('store', 'appendSlow');
    await travel(1 + dice.int(slow ? SLOW_MS : WAY_MS));
    const versions = await arrive(writes);
    await answer();
    return versions;
  }

  const underWay = new Set<Promise<unknown>>();
  let closed = false;

  /** As Google's client: once it is closed it takes nothing more, and closing waits for what it had taken. */
  async function ask<T>(what: string, act: () => Promise<T>): Promise<T> {
    if (closed) throw new Mk8sError('Cannot ask the simulated Firestore: the client is closed', { code: 'storage' });
    const asked = process.call(`firestore.${what}`, act);
    underWay.add(asked);
    return await asked.finally(() => underWay.delete(asked));
  }

  return {
    get: (paths) => ask('get', () => reading(() => database.get(paths))),
    query: (query) => ask('query', () => reading(() => database.query(query))),
    count: (collection) => ask('count', () => reading(() => database.count(collection))),
    commit: (writes) => ask('commit', () => commit(writes)),
    async close() {
      closed = true;
      await Promise.allSettled(underWay);
      await database.close();
    },
  };
}

/** Which faults of a store may strike. */
function kindOf([first]: readonly Write[]): Kind | undefined {
  if (first === undefined || first.kind === 'delete') return undefined;
  const collection = first.path.slice(0, first.path.indexOf('/'));
  if (collection === 'frames') return first.fields['size'] === undefined ? 'checkpoint' : 'append';
  if (collection === 'streams' || collection === 'pages') return 'append';
  if (collection === 'leases' || collection === 'sessions') return 'lease';
  return collection === 'status' ? 'status' : undefined;
}

function away(attempted: string): Mk8sError {
  return new Mk8sError(`Cannot ${attempted} in the simulated Firestore: UNAVAILABLE`, {
    code: 'storage',
    retryable: true,
  });
}

/** Of what comes too late. */
function expected(error: unknown): void {
  if (!(error instanceof Refused) && !(error instanceof Mk8sError)) throw error;
}

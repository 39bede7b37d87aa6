// Leases in Firestore (promise 6). A lease lasts as long as its holder's *session*, one document that the holder renews: a run
// with a thousand streams writes one document every few seconds, not a thousand.
//
// Who takes a lease from a session that is over changes the session's document in the same commit. So a holder that was only
// late finds its session changed when it renews, and looks which of its leases are still its own.
import { Mk8sError } from '../../model/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Holder, Lease, LeaseStore, Machine } from '../../ports/lease-store.ts';
import { type Document, type Documents, Refused } from './documents.ts';
import { leaseId } from './names.ts';

const MOST_ATTEMPTS = 10;
/** Of sessions that ended without a word, milliseconds. */
const EXPIRES_AFTER_MS = 7 * 24 * 3_600_000;

interface Session {
  readonly version: string;
  readonly expiresAt: number;
}

export function firestoreLeases(documents: Documents, clock: Clock, { host, isAlive }: Machine): LeaseStore {
  /** Holder id → its session as this process wrote it last. */
  const sessions = new Map<string, Session>();
  /** Holder id and name of a lease → its fence and its document, of leases that this process was given. */
  const given = new Map<string, { readonly fence: number; readonly version: string }>();

  /** The session renewed. Throws `Refused` where somebody changed it meanwhile. */
  async function extend(holder: Holder, ttlMs: number): Promise<Session> {
    const expiresAt = clock.now() + ttlMs;
    const fields = { expiresAt, holder: JSON.stringify(holder), expireAt: new Date(expiresAt + EXPIRES_AFTER_MS) };
    const path = sessionPath(holder);
    const known = sessions.get(holder.id);
    const [version = ''] = await documents.commit([
      known === undefined ? { kind: 'create', path, fields } : { kind: 'change', path, fields, version: known.version },
    ]);
    const session = { version, expiresAt };
    sessions.set(holder.id, session);
    return session;
  }

  /** The session renewed, whatever happened to it; true where it was changed by another. */
  async function extendAnyhow(holder: Holder, ttlMs: number): Promise<{ session: Session; changed: boolean }> {
    for (let attempts = 1, changed = false; ; attempts += 1) {
      try {
        return { session: await extend(holder, ttlMs), changed };
      } catch (error) {
        if (!(error instanceof Refused) || attempts === MOST_ATTEMPTS) throw error;
        changed = true;
        const [found] = await documents.get([sessionPath(holder)]);
        if (found === undefined) sessions.delete(holder.id);
        else sessions.set(holder.id, { version: found.version, expiresAt: Number(found.fields['expiresAt']) });
      }
    }
  }

  async function acquireOnce(name: string, holder: Holder, ttlMs: number): ReturnType<LeaseStore['acquire']> {
    const path = `leases/${leaseId(name)}`;
    const [found] = await documents.get([path]);
    const owner = ownerOf(found);
    const isMine = owner?.id === holder.id;
    const [theirs] = owner === undefined || isMine ? [] : await documents.get([sessionPath(owner)]);
    const theirEnd = Number(theirs?.fields['expiresAt'] ?? 0);
    if (owner !== undefined && !isMine) {
      const isDead = owner.host === host && !isAlive(owner.pid);
      if (theirEnd > clock.now() && !isDead) return { acquired: false, holder: owner, expiresAt: theirEnd };
    }
    const fence = Number(found?.fields['fence'] ?? 0) + (isMine ? 0 : 1);
    const { session } = await extendAnyhow(holder, ttlMs);
    const fields = { name, fence, holder: JSON.stringify(holder) };
    // A write that changes nothing leaves a document's version as it was.
    const mark = { takenFrom: `${name} ${fence}` };
    const [version = ''] = await documents.commit([
      found === undefined ? { kind: 'create', path, fields } : { kind: 'change', path, fields, version: found.version },
      // It is over: its holder has to notice.
      ...(theirs === undefined
        ? []
        : [{ kind: 'change', path: theirs.path, fields: mark, version: theirs.version } as const]),
    ]);
    given.set(keyOf(holder, name), { fence, version });
    return { acquired: true, lease: { name, fence, expiresAt: session.expiresAt } };
  }

  /** Names of those that are not this holder's. */
  async function lostOf(leases: readonly Lease[], holder: Holder): Promise<readonly string[]> {
    const found = await documents.get(leases.map(({ name }) => `leases/${leaseId(name)}`));
    return leases.flatMap(({ name, fence }, i) => {
      const isOurs = ownerOf(found[i])?.id === holder.id && Number(found[i]?.fields['fence']) === fence;
      if (!isOurs) given.delete(keyOf(holder, name));
      return isOurs ? [] : [name];
    });
  }

  /** Of the lease's document; undefined where it is not this holder's. */
  async function versionOf(name: string, fence: number, holder: Holder): Promise<string | undefined> {
    const [found] = await documents.get([`leases/${leaseId(name)}`]);
    const isOurs = ownerOf(found)?.id === holder.id && Number(found?.fields['fence']) === fence;
    return isOurs ? found?.version : undefined;
  }

  return {
    async acquire(name, holder, ttlMs) {
      for (let attempts = 1; ; attempts += 1) {
        try {
          return await acquireOnce(name, holder, ttlMs);
        } catch (error) {
          // Somebody else was faster: look again.
          if (!(error instanceof Refused)) throw error;
          if (attempts === MOST_ATTEMPTS) throw contended(name, error);
        }
      }
    },
    async renew(leases, holder, ttlMs) {
      const { changed } = await extendAnyhow(holder, ttlMs);
      const doubtful = leases.filter(({ name, fence }) => changed || given.get(keyOf(holder, name))?.fence !== fence);
      return doubtful.length === 0 ? [] : await lostOf(doubtful, holder);
    },
    async release(leases, holder) {
      for (const { name, fence } of leases) {
        const key = keyOf(holder, name);
        const known = given.get(key);
        given.delete(key);
        const version = known?.fence === fence ? known.version : await versionOf(name, fence, holder);
        if (version === undefined) continue;
        try {
          await documents.commit([
            { kind: 'change', path: `leases/${leaseId(name)}`, fields: { holder: null }, version },
          ]);
        } catch (error) {
          // Then it is another's already.
          if (!(error instanceof Refused)) throw error;
        }
      }
    },
  };
}

function sessionPath({ id }: Holder): string {
  return `sessions/${id}`;
}

function keyOf({ id }: Holder, name: string): string {
  return `${id}\n${name}`;
}

/** Undefined where it is free. */
function ownerOf(lease: Document | undefined): Holder | undefined {
  const holder = lease?.fields['holder'];
  return typeof holder === 'string' ? (JSON.parse(holder) as Holder) : undefined;
}

function contended(name: string, cause: unknown): Mk8sError {
  return new Mk8sError(`Cannot take the lease "${name}" in Firestore: many processes want it at once`, {
    code: 'storage',
    retryable: true,
    cause,
  });
}

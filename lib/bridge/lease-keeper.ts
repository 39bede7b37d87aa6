// Holds the leases of a run (promise 6): takes them, renews them together, and ends the work of those that were lost.
import { Mk8sError, messageOf } from '../model/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Holder, Lease, LeaseStore } from '../ports/lease-store.ts';
import type { Report } from '../ports/reporter.ts';

/** A lease outlives three missed renewals. */
const TTL_MS = 20_000;
const RENEW_EVERY_MS = 5_000;

export interface HeldLease {
  readonly fence: number;
  /** Aborts with Mk8sError `fenced` when the lease is lost. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export interface LeaseKeeper {
  /** Takes a lease, or says who holds it and until when (milliseconds since 1970). */
  acquire(name: string): Promise<HeldLease | { readonly holder: Holder; readonly expiresAt: number }>;
  /** Renews until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export function createLeaseKeeper(options: {
  leases: LeaseStore;
  holder: Holder;
  clock: Clock;
  report: Report;
}): LeaseKeeper {
  const { leases, holder, clock, report } = options;
  const held = new Map<string, { lease: Lease; lost: AbortController }>();

  async function acquire(name: string): Promise<HeldLease | { holder: Holder; expiresAt: number }> {
    const answer = await leases.acquire(name, holder, TTL_MS);
    if (!answer.acquired) return { holder: answer.holder, expiresAt: answer.expiresAt };
    const entry = { lease: answer.lease, lost: new AbortController() };
    held.set(name, entry);
    return {
      fence: answer.lease.fence,
      lost: entry.lost.signal,
      async release() {
        if (held.get(name) !== entry) return;
        held.delete(name);
        await leases.release([entry.lease], holder);
      },
    };
  }

  /** Only of the leases that were asked about: one may have been given back and taken anew meanwhile. */
  function lose(name: string, asked: readonly Lease[], why: string): void {
    const entry = held.get(name);
    if (entry === undefined || !asked.includes(entry.lease)) return;
    held.delete(name);
    entry.lost.abort(new Mk8sError(`Lost the lease "${name}": ${why}`, { code: 'fenced' }));
  }

  async function renewAll(): Promise<void> {
    const current = [...held.values()].map(({ lease }) => lease);
    if (current.length === 0) return;
    const startedAt = clock.now();
    try {
      for (const name of await leases.renew(current, holder, TTL_MS)) lose(name, current, 'another run took it over');
      for (const entry of held.values()) {
        if (current.includes(entry.lease)) entry.lease = { ...entry.lease, expiresAt: startedAt + TTL_MS };
      }
    } catch (error) {
      report({
        severity: 'WARNING',
        message: `Cannot renew ${current.length} leases: ${messageOf(error)}; trying again`,
      });
      for (const lease of current) {
        if (lease.expiresAt <= clock.now()) lose(lease.name, current, 'it could not be renewed in time');
      }
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await renewAll();
      await clock.sleep(RENEW_EVERY_MS, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
  }

  return { acquire, run };
}

// One owner (promise 6). Leases say who may work; fencing numbers make a late owner's writes fail.

export interface Holder {
  /** Unique per process start. */
  readonly id: string;
  /** For people: `host, pid 4711`. */
  readonly description: string;
  readonly host: string;
  readonly pid: number;
}

/** What lets a lease of a dead process be taken over at once: what a store knows of the machine it runs on. */
export interface Machine {
  /** This machine's name, as in `Holder.host`. */
  readonly host: string;
  /** True where a process of this machine lives. */
  readonly isAlive: (pid: number) => boolean;
}

export interface Lease {
  readonly name: string;
  /** Grows with every change of owner. */
  readonly fence: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

type Acquisition =
  | { readonly acquired: true; readonly lease: Lease }
  | { readonly acquired: false; readonly holder: Holder; readonly expiresAt: number };

export interface LeaseStore {
  /**
   * Takes the lease if it is free, expired, already this holder's, or its holder is known to be dead (same host, no
   * such process). A change of owner gets a larger fence than any before.
   */
  acquire(name: string, holder: Holder, ttlMs: number): Promise<Acquisition>;
  /** Extends leases in one write; returns the names that are no longer this holder's. */
  renew(leases: readonly Lease[], holder: Holder, ttlMs: number): Promise<readonly string[]>;
  /** Gives leases back; those of others are left alone. */
  release(leases: readonly Lease[], holder: Holder): Promise<void>;
}

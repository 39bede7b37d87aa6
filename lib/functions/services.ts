// What the handlers work with. Everything outside is a port.
import type { Policy } from '../policy/policy.ts';
import type { CallerVerifier } from '../ports/caller.ts';
import type { Clock } from '../ports/clock.ts';
import type { KeptInventory } from '../ports/inventory-store.ts';
import type { Minter } from '../ports/minter.ts';
import type { Report } from '../ports/reporter.ts';
import type { StatusStore } from '../ports/status-store.ts';
import type { AuditEntry } from './audit.ts';

export interface FleetReader {
  /**
   * The clusters: as they are kept, or, with `refresh`, after the sources were read anew. Throws Mk8sError where nothing is kept
   * and nothing can be read.
   */
  read(options: { readonly refresh: boolean; readonly signal: AbortSignal }): Promise<KeptInventory>;
}

/** How many requests a second, and how many at once after a pause. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

interface Settings {
  /** Where `mk8s credential` finds the token function, for kubeconfigs. */
  readonly tokensUrl: string;
  /** The audience that it asks its ID token for; undefined where nobody is asked for one. */
  readonly tokensAudience: string | undefined;
  /** Origins whose pages may read answers; none: no page may. */
  readonly corsOrigins: readonly string[];
  /** `unverified`: of an address, for requests without a token that holds, all together. */
  readonly rates: { readonly lists: Rate; readonly tokens: Rate; readonly unverified: Rate };
}

export interface Services {
  readonly clock: Pick<Clock, 'now'>;
  readonly verifier: CallerVerifier;
  readonly policy: Policy;
  readonly fleet: FleetReader;
  /** Where a run writes how its streams stand; absent where none does. */
  readonly status?: Pick<StatusStore, 'read'>;
  /** Whether requests can be answered now. */
  readonly isReady: () => boolean;
  readonly minter: Minter;
  readonly audit: (entry: AuditEntry) => void;
  readonly report: Report;
  readonly settings: Settings;
}

// Where clusters come from. Each source is one adapter, can be asked alone, and reports its own problems.
import type { ClusterPlacement, Problem } from '../model/cluster.ts';
import type { ApiServer } from './api-server.ts';

/** A cluster that a source names, before its identity is known. */
export interface ClusterCandidate extends ClusterPlacement {
  /** Context name, `gke_P_L_N`, … */
  readonly name: string;
  /** The source's name, e.g. `kubeconfig`. */
  readonly source: string;
  readonly server: string;
  /** PEM, where its certificate is not issued by those that every system trusts. */
  readonly certificateAuthority?: string;
  /** The name that its certificate is for, where that is another than the server's. */
  readonly tlsServerName?: string;
  readonly namespace: string;
  readonly isDefault: boolean;
  /**
   * What its platform calls it (a GKE resource name). It stands in as the identity only where the cluster itself may not
   * be asked: a cluster that was deleted and made anew keeps this name, and is another cluster.
   */
  readonly id?: string;
  /** Changes when endpoint or credentials changed, so that a refresh can tell. Contains no secret (a hash). */
  readonly fingerprint: string;
  /** True where an object of a cluster named it, whoever wrote that: it does not become the default by its place. */
  readonly untrusted?: boolean;
  /**
   * Whose quota its connections share: `Connect Gateway of project 123456789012`. Candidates that say the same share one;
   * absent where there is none, or where only its address shows it.
   */
  readonly gateway?: string;
  /** Why it is listed and not connected to (it is being made, it has no endpoint, it is in error), in a sentence. */
  readonly unavailable?: string;
  /** Opens it. Cheap: nothing is connected yet. Throws Mk8sError `config` where the entry cannot work. */
  connect(): ApiServer;
}

export interface ClusterSource {
  readonly name: string;
  /** Current candidates, with problems that did not prevent others. Throws only where the source as a whole failed. */
  discover(signal?: AbortSignal): Promise<{ candidates: readonly ClusterCandidate[]; problems: readonly Problem[] }>;
  /**
   * Resolves when `discover` may answer otherwise than the last time; rejects when the signal aborts, or where that cannot
   * be told just now. A source without it is asked at intervals only.
   */
  changed?(signal: AbortSignal): Promise<void>;
}

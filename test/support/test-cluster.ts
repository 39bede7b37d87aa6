// What end-to-end tests do to a cluster, whichever server it is.
import type { ClusterClient, ClusterEndpoint } from './cluster-client.ts';

/** A cluster that a test may hurt. */
export interface TestCluster extends AsyncDisposable {
  /** Its context in the kubeconfig. */
  readonly name: string;
  readonly endpoint: ClusterEndpoint;
  readonly client: ClusterClient;
  /** Ends the server without a word to its clients, as SIGKILL does. */
  kill(): Promise<void>;
  /** The same server returns at the same address. */
  start(): Promise<void>;
  /** From now on a watch from an earlier resourceVersion is answered with 410. */
  forget(): Promise<void>;
  /** Saves the cluster's state; the result restores it: same identity, resourceVersions that went back. */
  backup(): Promise<() => Promise<void>>;
}

/** A cluster of processes of its own, which can be stopped and killed one by one. */
export interface FragileCluster extends TestCluster {
  /** The server's connections stay open, and silent, until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Where what it stores is kept by another process: ends that one as SIGKILL does. */
  killStore?(): Promise<void>;
  startStore?(): Promise<void>;
}

// What the load of a soak needs of a cluster, sandbox or real.

export interface SoakCluster {
  readonly name: string;
  readonly url: string;
  readonly token: string;
  /** PEM. */
  readonly ca: string;
  /** kube-system's uid: the cluster id. */
  readonly uid: string;
  /** Writes reject where the server does not take them, for example while it is away. */
  create(at: SoakObject, object: object): Promise<void>;
  /** Merges `spec`, or `status` as its subresource. */
  patch(at: SoakObject, change: { readonly spec: object } | { readonly status: object }): Promise<void>;
  delete(at: SoakObject): Promise<void>;
  /** Every object of the soak's resources as it is now. */
  objects(): Promise<readonly { readonly resource: string; readonly object: StoredObject }[]>;
  /** Ends all connections at once. */
  drop(): Promise<void>;
  /** Ends all watches in order, as timeouts do. */
  endWatches(): Promise<void>;
  /** Forgets the history up to now: whoever resumes from before gets 410. */
  gone(): Promise<void>;
  /** Away for so many milliseconds, then back on the same port and data. */
  restart(downMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** Where an object is; all are namespaced, of version v1. */
export interface SoakObject {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface StoredObject {
  readonly metadata: { readonly name?: string; readonly namespace?: string };
}

/** They exist from the start. */
export const soakNamespaces = ['team-a', 'team-b', 'team-c', 'team-d'] as const;

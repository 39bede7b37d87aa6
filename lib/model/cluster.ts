// A cluster as discovery knows it.
import type { ClusterId } from './stream.ts';

/** Something that went wrong in discovery without ending it, in a sentence that names the source, file and context. */
export interface Problem {
  readonly source: string;
  readonly message: string;
}

/** Where a platform has a cluster, and what it says of it. */
export interface ClusterPlacement {
  /** Google Cloud project id. */
  readonly project?: string;
  /** Region or zone. */
  readonly location?: string;
  /** The platform's word: `RUNNING`, `PROVISIONING`, `ERROR`, … */
  readonly state?: string;
  /** The platform's labels. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** What is known of a cluster for people and lists. No credentials in here. */
export interface ClusterInfo extends ClusterPlacement {
  /** Absent while the cluster has not been reached. */
  readonly id?: ClusterId;
  /** Context name, `gke_P_L_N` or `connectgateway_P_L_M`. */
  readonly name: string;
  /** Other names under which sources found the same cluster. */
  readonly aliases: readonly string[];
  /** Names of the sources that found it, e.g. `kubeconfig`. */
  readonly sources: readonly string[];
  /** URL of the API server. */
  readonly server: string;
  /** PEM of the certificates that its server's is issued by; absent where those that every system trusts do. No secret. */
  readonly certificateAuthority?: string;
  /** The name that its server's certificate is for, where that is not the server's own. */
  readonly tlsServerName?: string;
  /** Default namespace of its context. */
  readonly namespace: string;
  readonly isDefault: boolean;
  /** Server version, e.g. `v1.36.2`, where it was reached. */
  readonly version?: string;
  /** Why it could not be reached, where it was tried, or why it is not tried. */
  readonly error?: string;
  /** It is not open, as its platform says (`state`: it is being made, it is in error): listed, and not tried. */
  readonly unavailable?: true;
}

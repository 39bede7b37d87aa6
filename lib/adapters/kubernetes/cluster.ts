// One cluster of a fleet: its client, who it is, and the way to client-node.
import type { KubeConfig } from '@kubernetes/client-node';
import { singleFlight } from '../../async/single-flight.ts';
import { Mk8sError } from '../../model/errors.ts';
import type { ApiServer } from '../../ports/api-server.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import type { ClusterCandidate } from '../../ports/cluster-source.ts';
import type { ClusterAnswer } from '../../ports/resource-discovery.ts';
import { Client } from './client.ts';
import { identifyCluster } from './discovery-port.ts';
import type { ClusterIdentity } from './identity.ts';
import { type ApiClass, clientNodeApi, clientNodeKubeConfig } from './interop.ts';
import type { KubeconfigDocument } from './kubeconfig-load.ts';

export interface ClusterSettings {
  readonly candidate: ClusterCandidate;
  readonly aliases: readonly string[];
  readonly isDefault: boolean;
  readonly api: ApiServer;
  /** A kubeconfig with just this cluster's context, where there is one. It has secrets. */
  readonly kubeconfig: KubeconfigDocument | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/** A cluster. Making one connects to nothing; every method of `Client` can be called on it. */
export class Cluster extends Client {
  /** Context name, or the source's name for it. */
  readonly name: string;
  /** Other contexts with the same cluster, user and namespace. */
  readonly aliases: readonly string[];
  /** The source that named it: `kubeconfig`, `in-cluster`, … */
  readonly source: string;
  /** URL of the API server. */
  readonly server: string;
  /** The namespace of its context, for calls that name none. */
  readonly namespace: string;
  readonly isDefault: boolean;
  readonly #settings: ClusterSettings;
  readonly #identify: (signal?: AbortSignal) => Promise<ClusterAnswer>;
  #identity: ClusterIdentity | undefined;

  constructor(settings: ClusterSettings) {
    const { candidate, aliases, isDefault, api, clock, random } = settings;
    super({ api, name: candidate.name, namespace: candidate.namespace, clock, random });
    this.name = candidate.name;
    this.aliases = aliases;
    this.source = candidate.source;
    this.server = candidate.server;
    this.namespace = candidate.namespace;
    this.isDefault = isDefault;
    this.#settings = settings;
    this.#identify = singleFlight((signal) => identifyCluster(api, signal, candidate.name));
  }

  /** Its id from an earlier `identity()`; before that, what its platform calls it, where a source knows that. */
  get id(): string | undefined {
    return this.#identity?.id ?? this.#settings.candidate.id;
  }

  /**
   * Asks the cluster who it is, once: the stable id (the uid of its namespace kube-system; where that may not be
   * read, what its platform calls it, else `server:` and a hash of its URL) and the server's version. Throws Mk8sError where it can't be reached.
   */
  async identity(options: { readonly signal?: AbortSignal } = {}): Promise<ClusterIdentity> {
    if (this.#identity === undefined) {
      const found = await this.#identify(options.signal);
      const { id, version, byAddress } = found;
      this.#identity = { id: byAddress === true ? (this.#settings.candidate.id ?? id) : id, version };
    }
    return this.#identity;
  }

  /**
   * A KubeConfig of @kubernetes/client-node with this cluster's context only, made anew at each reading, for what works
   * on that: Exec, Log, Watch, makeInformer. It makes its own connections and gets its own credentials.
   * Throws Mk8sError `config` where client-node is not installed, or the cluster does not come from a kubeconfig.
   */
  get kubeConfig(): KubeConfig {
    const { kubeconfig } = this.#settings;
    if (kubeconfig !== undefined) return clientNodeKubeConfig(kubeconfig);
    throw new Mk8sError(
      `Cannot make a KubeConfig of cluster "${this.name}": it was found by ${this.source}, not in a kubeconfig; makeApiClient works for it`,
      { code: 'config' },
    );
  }

  /**
   * An API client of @kubernetes/client-node, e.g. `cluster.makeApiClient(CoreV1Api)`, over this cluster's connections and
   * credentials: no TLS handshake a call, tokens renewed ahead of time, one retry with a fresh one after a 401.
   * Throws Mk8sError `config` where client-node is not installed.
   */
  makeApiClient<T>(Api: ApiClass<T>): T {
    return clientNodeApi(Api, this.server, (request) => this.request(request));
  }

  /** Closes its connections. */
  async close(): Promise<void> {
    await this.#settings.api.close();
  }
}

// Google's identity where a cluster is all that there is: its service account, found and exchanged as a run does it. In a file of its
// own, for it loads the clients of clusters.
import type { Config } from '../config/options.ts';
import type { TokenSource } from '../ports/token-source.ts';
import { type ClusterPlace, clusterPlace } from './cluster-place.ts';
import type { Context } from './context.ts';
import { findCluster } from './find-cluster.ts';
import { bootstrapFrom } from './google-bootstrap.ts';
import { hostsOf } from './google-hosts.ts';
import { currentCluster, kubeconfigLocation } from './kubeconfig-location.ts';

export interface ClusterIdentity {
  /** Federated access tokens. */
  readonly tokens: TokenSource;
  /** The service account's own JWTs. */
  readonly caller: TokenSource;
  /** `PROJECT.svc.id.goog`; undefined where the pool is another kind. */
  email(): Promise<string | undefined>;
  projectId(): Promise<string | undefined>;
  readonly place: ClusterPlace;
  close(): Promise<void>;
}

/** `named`: another cluster than the current one. Undefined where there is none. Throws Mk8sError `config` where the named one is not there. */
export async function clusterIdentity(
  named: string | undefined,
  config: Config,
  context: Context,
): Promise<ClusterIdentity | undefined> {
  const { env, signal } = context;
  const location = kubeconfigLocation(config, env);
  const found = named === undefined ? undefined : await findCluster(named, config, context);
  const home = found?.candidate ?? (await currentCluster(location, signal));
  if (home === undefined) return undefined;
  const bootstrap = bootstrapFrom(
    async (asked) => found?.candidate ?? (await currentCluster(location, asked)),
    config,
    hostsOf(env).sts,
  );
  return {
    tokens: bootstrap.tokens,
    caller: bootstrap.caller,
    async email() {
      const pool = await bootstrap.pool();
      return pool.endsWith('.svc.id.goog') ? pool : undefined;
    },
    projectId: async () => config.google.projects[0] ?? (env['GOOGLE_CLOUD_PROJECT'] || (await bootstrap.project())),
    place: clusterPlace(home),
    async close() {
      await bootstrap.close();
      await found?.close();
    },
  };
}

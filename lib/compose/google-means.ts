// Whether Google is asked as a cluster's service account: the one decision, for runs, tokens and the metadata server alike. It loads
// nothing by itself, for it is made before anything is known to be needed.
import { hasApplicationDefault } from '../adapters/google/application-default.ts';
import type { MetadataServer } from '../adapters/google/metadata-server.ts';
import type { Config } from '../config/options.ts';

export interface Means {
  /** Those of this process. */
  readonly env: NodeJS.ProcessEnv;
  /** Where gcloud's file would be. */
  readonly folder: string;
  readonly metadata: Pick<MetadataServer, 'isAvailable'>;
  /** Whether there is a cluster whose service account could stand for us. */
  readonly hasCluster: () => Promise<boolean>;
}

/**
 * Where a service account is named, and where there is nothing else: neither application default credentials nor a metadata server.
 * With no cluster either, it is false: the advice on application default credentials is the one that helps then.
 */
export async function clusterStandsForUs(
  { google }: Config,
  { env, folder, metadata, hasCluster }: Means,
): Promise<boolean> {
  if (google.kubernetesServiceAccount !== undefined) return true;
  // The cheapest first: off Google Cloud it takes up to seconds to find that there is no metadata server.
  if (await hasApplicationDefault(env, folder)) return false;
  return !(await metadata.isAvailable()) && (await hasCluster());
}

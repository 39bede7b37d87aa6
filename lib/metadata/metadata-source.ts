// What a metadata server tells of where it stands, and whose tokens it gives.
import type { TokenSource } from '../ports/token-source.ts';

export interface MetadataSource {
  readonly tokens: TokenSource;
  /**
   * Whom the tokens speak for: a service account's email; `PROJECT.svc.id.goog` for a workload of a cluster that has none, as
   * GKE has it; `default` where the credentials do not say.
   */
  readonly email: string;
  readonly scopes: readonly string[];
  /** Google Cloud project id; undefined where none is known. Throws Mk8sError. */
  readonly projectId: () => Promise<string | undefined>;
  /** Asked for when it is wanted, for it takes a request to Google. Throws Mk8sError. */
  readonly projectNumber: () => Promise<string | undefined>;
  /** A region or a zone. */
  readonly location?: string | undefined;
  readonly clusterName?: string | undefined;
}

// Where the tokens come from that the token function hands out. A minter has the power; whether to use it is decided before it is asked.
import type { ClusterId } from '../model/stream.ts';
import type { Token } from '../model/token.ts';

/** A Kubernetes service account of a cluster that discovery vouches for. */
export interface ClusterAccount {
  readonly cluster: ClusterId;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Each throws Mk8sError, classified; the message contains no token. None caches, none retries. */
export interface Minter {
  /** A token of a Kubernetes service account. Without an audience: for the API server. `seconds`: at least 600. */
  serviceAccount(
    account: ClusterAccount,
    request: { readonly audience: string | undefined; readonly seconds: number },
    signal?: AbortSignal,
  ): Promise<Token>;
  /** Google's access token for such a service account, through a workload identity pool. */
  federated(
    account: ClusterAccount,
    request: { readonly pool: string; readonly provider: string | undefined; readonly scopes: readonly string[] },
    signal?: AbortSignal,
  ): Promise<Token>;
  /** An access token of a Google service account. */
  accessToken(
    serviceAccount: string,
    request: { readonly scopes: readonly string[]; readonly seconds: number },
    signal?: AbortSignal,
  ): Promise<Token>;
  /** An identity token of a Google service account. */
  identityToken(serviceAccount: string, audience: string, signal?: AbortSignal): Promise<Token>;
}

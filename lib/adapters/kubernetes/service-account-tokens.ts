// A Kubernetes service account as a source of identity tokens: TokenRequest, one audience each.
import { Mk8sError } from '../../model/errors.ts';
import { Token } from '../../model/token.ts';
import type { ApiServer } from '../../ports/api-server.ts';
import type { TokenSource } from '../../ports/token-source.ts';
import { requestToken } from './token-request.ts';

export interface ServiceAccountTokensOptions {
  readonly api: ApiServer;
  /** Of the cluster, for messages. */
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
}

/** Identity tokens only; Google's access tokens come by exchanging these (adapters/google/federated-tokens.ts). */
export function serviceAccountTokens({ api, cluster, namespace, name }: ServiceAccountTokensOptions): TokenSource {
  const identity = `service account ${namespace}/${name} of cluster "${cluster}"`;
  return {
    identity,
    async get(request, { signal } = {}) {
      if (request.kind === 'access') {
        throw new Mk8sError(`Cannot get an access token as ${identity}: a cluster gives identity tokens only`, {
          code: 'credentials',
        });
      }
      const options = { audiences: [request.audience], ...(signal === undefined ? {} : { signal }) };
      const { token, expiresAt } = await requestToken({ api, name: cluster }, namespace, name, options);
      return new Token(token, expiresAt);
    },
  };
}

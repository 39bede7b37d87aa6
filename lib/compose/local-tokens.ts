// Tokens out of what this machine has: the configured clusters, and Google's identity of this process.

import { CLUSTER_SCOPES } from '../adapters/google-api/scopes.ts';
import { requestToken } from '../adapters/kubernetes/token-request.ts';
import type { Config } from '../config/options.ts';
import { Token } from '../model/token.ts';
import type { ServiceAccountTokenRequest, TokenBroker } from '../ports/token-broker.ts';
import type { Context } from './context.ts';
import { hostsOf } from './google-hosts.ts';
import { actingAs, openGoogleIdentity } from './google-identity.ts';
import { namedHome } from './home-cluster.ts';

export function localTokens(config: Config, context: Context): TokenBroker {
  async function serviceAccountToken(
    { cluster, namespace, name, audience, expirationSeconds }: ServiceAccountTokenRequest,
    signal: AbortSignal,
  ): Promise<Token> {
    // Not loaded where Google's own credentials are enough: it is most of what there is to load.
    const { findCluster } = await import('./find-cluster.ts');
    const found = await findCluster(cluster, config, context);
    const { candidate } = found;
    const api = candidate.connect();
    try {
      const target = { api, name: candidate.name };
      const { token, expiresAt } = await requestToken(target, namespace ?? candidate.namespace, name, {
        ...(audience === undefined ? {} : { audiences: [audience] }),
        ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
        signal,
      });
      return new Token(token, expiresAt);
    } finally {
      await api.close();
      await found.close();
    }
  }

  return {
    serviceAccountToken,
    async googleToken(request, subject, signal) {
      const { cluster, ...account } = subject !== undefined && 'name' in subject ? subject : {};
      const email = subject !== undefined && 'email' in subject ? subject.email : undefined;
      const identity = await openGoogleIdentity(config, context, {
        ...(cluster === undefined ? {} : { home: namedHome(cluster, config, context) }),
        ...('name' in account ? { account } : {}),
      });
      try {
        const tokens = email === undefined ? identity.tokens : actingAs(email, identity.tokens, hostsOf(context.env));
        return await tokens.get(request, { signal });
      } finally {
        await identity.close();
      }
    },
    async credential({ cluster, serviceAccount }, signal) {
      if (serviceAccount !== undefined) {
        const at = cluster === undefined ? {} : { cluster };
        return await serviceAccountToken({ ...at, ...serviceAccount }, signal);
      }
      const identity = await openGoogleIdentity(config, context);
      try {
        return await identity.tokens.get({ kind: 'access', scopes: CLUSTER_SCOPES }, { signal });
      } finally {
        await identity.close();
      }
    },
    close: () => Promise.resolve(),
  };
}

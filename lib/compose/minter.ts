// Where minted tokens come from: clusters that discovery reached, and Google as this process' own identity.
import { systemClock } from '../async/system-clock.ts';
import { Mk8sError } from '../model/errors.ts';
import { Token } from '../model/token.ts';
import type { ClusterAccount, Minter } from '../ports/minter.ts';
import type { TokenSource } from '../ports/token-source.ts';
import { hostsOf } from './google-hosts.ts';
import type { LiveFleet } from './live-fleet.ts';
import type { SharedGoogle } from './shared-google.ts';

/** A federated token's subject only has to outlive the exchange: the least that Kubernetes gives, seconds. */
const SUBJECT_SECONDS = 600;

/** Adapters are loaded when a token of their kind is first asked for. */
export function openMinter(google: SharedGoogle, env: NodeJS.ProcessEnv, fleet: LiveFleet): Minter {
  const now = (): number => systemClock.now();

  async function impersonated(serviceAccount: string, lifetimeSeconds: number): Promise<TokenSource> {
    const { impersonatedTokens } = await import('../adapters/google/impersonated-tokens.ts');
    const { tokens } = await google.get();
    const { credentials } = hostsOf(env);
    const url = credentials === undefined ? {} : { url: credentials };
    return impersonatedTokens({ by: tokens, serviceAccount, lifetimeSeconds, ...url });
  }

  const minter: Minter = {
    async serviceAccount(account, { audience, seconds }, signal) {
      const { requestToken } = await import('../adapters/kubernetes/token-request.ts');
      const target = await fleet.open(account.cluster, signal ?? new AbortController().signal);
      const token = await requestToken(target, account.namespace, account.serviceAccount, {
        ...(audience === undefined ? {} : { audiences: [audience] }),
        expirationSeconds: seconds,
        ...(signal === undefined ? {} : { signal }),
      });
      return new Token(token.token, token.expiresAt);
    },
    async federated(account, { pool, provider, scopes }, signal) {
      const { federatedTokens } = await import('../adapters/google/federated-tokens.ts');
      const { sts } = hostsOf(env);
      const source = federatedTokens({
        subject: subjectOf(minter, account),
        pool,
        now,
        ...(provider === undefined ? {} : { provider }),
        ...(sts === undefined ? {} : { url: sts }),
      });
      return await source.get({ kind: 'access', scopes }, { signal });
    },
    async accessToken(serviceAccount, { scopes, seconds }, signal) {
      return await (await impersonated(serviceAccount, seconds)).get({ kind: 'access', scopes }, { signal });
    },
    async identityToken(serviceAccount, audience, signal) {
      return await (await impersonated(serviceAccount, 3_600)).get({ kind: 'identity', audience }, { signal });
    },
  };
  return minter;
}

function subjectOf(minter: Minter, account: ClusterAccount): TokenSource {
  return {
    identity: `service account ${account.namespace}/${account.serviceAccount} of cluster ${account.cluster}`,
    async get(request, { signal } = {}) {
      if (request.kind === 'access') {
        throw new Mk8sError('A Kubernetes service account has no access tokens of its own', { code: 'credentials' });
      }
      return await minter.serviceAccount(account, { audience: request.audience, seconds: SUBJECT_SECONDS }, signal);
    },
  };
}

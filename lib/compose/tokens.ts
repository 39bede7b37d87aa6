// Who hands out tokens, as the configuration says: the service that it names, else this process.
import { tokenService } from '../adapters/http/token-service.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import { Mk8sError } from '../model/errors.ts';
import { Token } from '../model/token.ts';
import type { TokenBroker } from '../ports/token-broker.ts';
import type { TokenSource } from '../ports/token-source.ts';
import type { Context } from './context.ts';
import { openGoogleIdentity } from './google-identity.ts';
import { localTokens } from './local-tokens.ts';

/**
 * Set for the exec plugins that are run while tokens are made. A kubeconfig whose user is `mk8s credential` would otherwise make it
 * start itself again and again, where it needs that cluster for its own token.
 */
const INSIDE = 'MK8S_INSIDE_CREDENTIAL';

/** Throws Mk8sError `config` where this process was started by itself. */
export async function openTokens(config: Config, context: Context): Promise<TokenBroker> {
  if (context.env[INSIDE] !== undefined) {
    throw new Mk8sError(
      'mk8s was started by itself to get a token: the cluster that it needs for that has mk8s as its credential plugin. Name another cluster, or another context of it, that has credentials of its own, or give mk8s credentials for Google: gcloud auth application-default login',
      { code: 'config' },
    );
  }
  const inside = { ...context, env: { ...context.env, [INSIDE]: 'true' } };
  const { url } = config.service;
  if (url === undefined) return localTokens(config, inside);
  const audience = config.service.audience ?? url;
  const asking = { url, audience, fetch, now: () => systemClock.now() };
  if (config.service.anonymous) return tokenService({ ...asking, caller: nobody });
  const identity = await openGoogleIdentity(config, inside);
  const service = tokenService({ ...asking, caller: identity.caller });
  return { ...service, close: () => identity.close() };
}

/** For a service that takes everyone for one caller: it is shown a word that proves nothing, and nothing is asked of anyone for it. */
const nobody: TokenSource = {
  identity: 'nobody (service.anonymous)',
  get: () => Promise.resolve(new Token('anonymous', new Date(systemClock.now() + 3_600_000))),
};

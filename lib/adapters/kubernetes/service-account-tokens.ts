// A service account of a cluster as a token source: JWTs for whoever trusts the cluster's issuer.
import { Mk8sError } from '../../model/errors.ts';
import { Token } from '../../model/token.ts';
import type { TokenSource } from '../../ports/token-source.ts';
import type { Target } from './rest.ts';
import { requestToken } from './token-request.ts';

interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/** Identity tokens only, by TokenRequest; asking needs the right to create serviceaccounts/token. */
export function serviceAccountTokens(target: Target, { namespace, name }: ServiceAccount): TokenSource {
  const identity = `service account ${namespace}/${name} of cluster "${target.name}"`;
  return {
    identity,
    async get(request, { signal } = {}) {
      if (request.kind !== 'identity') {
        throw new Mk8sError(`Cannot get an access token as ${identity}: a cluster issues identity tokens only`, {
          code: 'credentials',
        });
      }
      const audiences = [request.audience];
      const { token, expiresAt } = await requestToken(target, namespace, name, {
        audiences,
        ...(signal === undefined ? {} : { signal }),
      }).catch((error: unknown) => {
        throw withAdvice(error, { namespace, name }, target.name);
      });
      return new Token(token, expiresAt);
    },
  };
}

function withAdvice(error: unknown, { namespace, name }: ServiceAccount, cluster: string): unknown {
  if (!(error instanceof Mk8sError)) return error;
  const { code, retryable, status, reason, retryAfterMs } = error;
  const advice =
    status === 403
      ? `Grant it: kubectl create role mk8s-token -n ${namespace} --verb=create --resource=serviceaccounts/token --resource-name=${name}, and bind it to the user of cluster "${cluster}"`
      : status === 404
        ? `Create it: kubectl create serviceaccount ${name} -n ${namespace}`
        : undefined;
  if (advice === undefined) return error;
  return new Mk8sError(`${error.message}. ${advice}`, {
    code,
    retryable,
    cause: error,
    ...(status === undefined ? {} : { status }),
    ...(reason === undefined ? {} : { reason }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

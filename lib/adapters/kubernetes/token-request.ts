// Short-lived tokens for a service account of a cluster (TokenRequest, authentication.k8s.io/v1).
import { Mk8sError } from '../../model/errors.ts';
import { Token } from '../../model/token.ts';
import { isRecord } from './client-object.ts';
import { sendJson, type Target } from './rest.ts';

export interface TokenOptions {
  /** Who may accept it; default: the API server itself. */
  readonly audiences?: readonly string[];
  /** Lifetime that is asked for, in seconds, at least 600 (the server refuses less with 422). Default: the server's, 3600. */
  readonly expirationSeconds?: number;
  /** The token becomes invalid when this Pod, Secret or Node is deleted. */
  readonly boundObjectRef?: {
    readonly kind: 'Pod' | 'Secret' | 'Node';
    readonly name: string;
    readonly apiVersion?: string;
    readonly uid?: string;
  };
  readonly signal?: AbortSignal;
}

/** `token` is a JWT; `expiresAt` as the server granted it, which may be sooner or later than asked. Printing it shows only the latter. */
export class ServiceAccountToken extends Token {}

/** Asks for a token. Throws Mk8sError: 403 without the right to create serviceaccounts/token, 404, 422 below 600 seconds. */
export async function requestToken(
  target: Target,
  namespace: string,
  serviceAccount: string,
  { audiences, expirationSeconds, boundObjectRef, signal }: TokenOptions = {},
): Promise<ServiceAccountToken> {
  const attempt = `create a token for service account "${namespace}/${serviceAccount}"`;
  const spec = { audiences, expirationSeconds, boundObjectRef };
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(serviceAccount)}/token`;
  const answer = await sendJson(
    target,
    {
      method: 'POST',
      path,
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec }),
      ...(signal === undefined ? {} : { signal }),
    },
    attempt,
  );
  const status = isRecord(answer) && isRecord(answer['status']) ? answer['status'] : {};
  const { token, expirationTimestamp } = status;
  const expiresAt = new Date(typeof expirationTimestamp === 'string' ? expirationTimestamp : Number.NaN);
  if (typeof token !== 'string' || token === '' || Number.isNaN(expiresAt.getTime())) {
    throw new Mk8sError(
      `Cannot ${attempt} in cluster "${target.name}": the answer has no status.token and status.expirationTimestamp`,
      { code: 'protocol' },
    );
  }
  return new ServiceAccountToken(token, expiresAt);
}

// Short-lived tokens for a service account of a cluster (TokenRequest, authentication.k8s.io/v1).
//
// Promise 9: the token is in `token` and nowhere else; not in errors, and not in what console.log or JSON.stringify show.
import { inspect } from 'node:util';
import { Mk8sError } from '../../model/errors.ts';
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

/** A token; printing it shows only when it expires. */
export class ServiceAccountToken {
  readonly #token: string;
  /** As the server granted it, which may be sooner or later than asked. */
  readonly expiresAt: Date;

  constructor(token: string, expiresAt: Date) {
    this.#token = token;
    this.expiresAt = expiresAt;
  }

  /** The JWT. */
  get token(): string {
    return this.#token;
  }

  toJSON(): unknown {
    return { token: 'REDACTED', expiresAt: this.expiresAt };
  }

  [inspect.custom](): string {
    return `ServiceAccountToken { expiresAt: ${this.expiresAt.toISOString()} }`;
  }
}

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

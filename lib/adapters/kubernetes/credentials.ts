// What proves to an API server who we are, and how it is obtained anew when it is refused or expires.
import { Mk8sError } from '../../model/errors.ts';

export interface ClientCertificate {
  /** PEM, leaf first, intermediates after it. */
  readonly certificate: string;
  /** PEM, unencrypted. */
  readonly key: string;
}

/** One credential. Immutable: a new one is a new object, which is how the transport tells that it changed. */
export interface Credential {
  /** Request headers; empty for anonymous access and for client certificates. */
  readonly headers: Readonly<Record<string, string>>;
  readonly clientCertificate?: ClientCertificate;
}

export interface Credentials {
  /**
   * The current credential; the same object as long as nothing changed. `fresh` asks for a new one although the
   * current one has not expired (a server refused it). Throws Mk8sError `credentials`, or the signal's reason.
   */
  get(options: { readonly fresh: boolean; readonly signal?: AbortSignal | undefined }): Promise<Credential>;
}

/** A credential that never changes. */
export function fixedCredentials(credential: Credential): Credentials {
  return { get: () => Promise.resolve(credential) };
}

/** Several at once, e.g. a client certificate and a token, as client-go sends both. Headers of later ones win. */
export function combinedCredentials(parts: readonly Credentials[]): Credentials {
  const [only] = parts;
  if (only === undefined) return fixedCredentials(anonymous);
  if (parts.length === 1) return only;
  let last: { readonly parts: readonly Credential[]; readonly whole: Credential } | undefined;
  return {
    get: async (options) => {
      const current = await Promise.all(parts.map((part) => part.get(options)));
      if (last === undefined || current.some((part, index) => part !== last?.parts[index])) {
        const headers = Object.assign({}, ...current.map((part) => part.headers)) as Record<string, string>;
        const certificate = current.findLast((part) => part.clientCertificate !== undefined)?.clientCertificate;
        last = {
          parts: current,
          whole: certificate === undefined ? { headers } : { headers, clientCertificate: certificate },
        };
      }
      return last.whole;
    },
  };
}

export const anonymous: Credential = { headers: {} };

/** Throws Mk8sError `credentials` where the token can't be sent; the message names `origin`, not the token. */
export function bearer(token: string, origin: string): Credential {
  // RFC 9110 field values; anything else makes node:http refuse the request.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new Mk8sError(
      token === ''
        ? `The bearer token of ${origin} is empty. Put a token there.`
        : `The bearer token of ${origin} contains characters that a token can't have (spaces, line breaks or non-ASCII). Store it without them.`,
      { code: 'credentials' },
    );
  }
  return { headers: { authorization: `Bearer ${token}` } };
}

export function basic(username: string, password: string): Credential {
  return { headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` } };
}

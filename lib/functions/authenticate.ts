// Who calls: the bearer token of a request, verified. Whatever does not hold is 401; the dispatcher counts it and writes it down.
import { Mk8sError } from '../model/errors.ts';
import type { Refusal, VerifiedCaller } from '../ports/caller.ts';
import type { HttpRequest } from '../ports/http.ts';
import { Problem } from './problems.ts';
import type { Services } from './services.ts';

const SAID: Readonly<Record<Refusal, string>> = {
  malformed: 'The token is not a signed JWT',
  'too-large': 'The token is too large',
  algorithm: 'The token is not signed as its issuer signs',
  'unknown-issuer': 'The token is of an issuer that is not configured here',
  'unknown-key': 'The token names a key that its issuer does not have',
  signature: 'The signature of the token does not hold',
  'signature-removed':
    'Cloud Run has removed the signature of the token. Send the same token in X-Serverless-Authorization too',
  audience: 'The token is for another audience',
  expired: 'The token has expired',
  'not-yet-valid': 'The token is not valid yet',
  'email-not-verified': 'The issuer has not verified the e-mail address of the token',
  claims: 'The token lacks a claim, or has a wrong one',
};

type Around = { readonly requestId: string; readonly signal: AbortSignal };

/** The bearer token of a request. Throws Problem `unauthenticated`. */
export function bearerToken({ headers }: HttpRequest): string {
  const lines = headers.get('authorization') ?? [];
  const [line = ''] = lines;
  if (lines.length === 0) throw unauthenticated('There is no token. Send an ID token as Authorization: Bearer');
  if (lines.length > 1) throw unauthenticated('There is more than one Authorization');
  const [, token] = /^bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(line) ?? [];
  if (token === undefined) throw unauthenticated('Authorization is not Bearer and one token');
  return token;
}

/** Throws Problem `unauthenticated` or `unavailable`. */
export async function verifiedCaller(
  token: string,
  { verifier, audit, report }: Services,
  { requestId, signal }: Around,
): Promise<VerifiedCaller> {
  const verification = await verifier.verify(token, signal).catch((error: unknown) => {
    if (!(error instanceof Mk8sError)) throw error;
    report({ severity: 'ERROR', message: error.message, details: { requestId } });
    audit({ requestId, decision: 'failed', what: 'authentication', reason: 'the keys of the issuer cannot be read' });
    throw new Problem('unavailable', {
      detail: 'The keys of the token’s issuer cannot be read just now',
      headers: { 'retry-after': '30' },
      cause: error,
    });
  });
  if ('caller' in verification) return verification.caller;
  throw unauthenticated(SAID[verification.refusal], verification.refusal);
}

/** RFC 6750, 3. */
function unauthenticated(detail: string, reason: string = detail): Problem {
  const challenge = `Bearer realm="mk8s", error="invalid_token", error_description="${detail.replaceAll('’', "'")}"`;
  return new Problem('unauthenticated', { detail, reason, headers: { 'www-authenticate': challenge } });
}

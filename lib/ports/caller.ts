// Who calls: proof of identity in, a caller out.

/** A caller whose token was verified. */
export interface VerifiedCaller {
  /** `iss` of the token. */
  readonly issuer: string;
  /** `sub` of the token. */
  readonly subject: string;
  /** In lower case (A to Z); only where the issuer says that it has verified it. */
  readonly email?: string;
}

/** Why a token proves nothing. The word is for logs and counters; a caller hears it, and nothing of the token. */
export type Refusal =
  | 'malformed'
  | 'too-large'
  | 'algorithm'
  | 'unknown-issuer'
  | 'unknown-key'
  | 'signature'
  | 'signature-removed'
  | 'audience'
  | 'expired'
  | 'not-yet-valid'
  | 'email-not-verified'
  | 'claims';

export type Verification =
  | { readonly caller: VerifiedCaller; readonly expiresAt: number }
  | { readonly refusal: Refusal };

export interface CallerVerifier {
  /**
   * Verifies an ID token. Throws Mk8sError `unreachable` (retryable) only where the issuer's keys could not be read; every token that
   * does not hold is a refusal.
   */
  verify(token: string, signal?: AbortSignal): Promise<Verification>;
}

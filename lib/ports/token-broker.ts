// Who hands out short-lived tokens on request: this process from local credentials, or a service that decides by policy.
import type { Token } from '../model/token.ts';
import type { TokenRequest } from './token-source.ts';

/** A Kubernetes service account. What is absent is the broker's to choose, where it can. */
export interface ServiceAccountName {
  /** Id or name. */
  readonly cluster?: string;
  readonly namespace?: string;
  readonly name: string;
}

export interface ServiceAccountTokenRequest extends ServiceAccountName {
  /** Who may accept it; default: the API server. */
  readonly audience?: string;
  /** At least 600; default: the cluster's. */
  readonly expirationSeconds?: number;
}

/** Whose Google token: a Google service account, by its email, or a Kubernetes service account, federated. */
export type GoogleSubject = { readonly email: string } | ServiceAccountName;

interface CredentialRequest {
  readonly cluster?: string;
  /** Present where it shall be this service account's token. */
  readonly serviceAccount?: { readonly namespace?: string; readonly name: string };
}

/**
 * Each token is made anew or has a while to live. Throws Mk8sError (`config`, `credentials`, `http`, `unreachable`), whose message
 * contains no token.
 */
export interface TokenBroker {
  /** Kubernetes' TokenRequest. */
  serviceAccountToken(request: ServiceAccountTokenRequest, signal: AbortSignal): Promise<Token>;
  /** Google's access and identity tokens. `subject`: default the broker's own choice, where it has one. */
  googleToken(request: TokenRequest, subject: GoogleSubject | undefined, signal: AbortSignal): Promise<Token>;
  /** What the API server of a cluster takes from its caller. */
  credential(request: CredentialRequest, signal: AbortSignal): Promise<Token>;
  /** Closes connections. */
  close(): Promise<void>;
}

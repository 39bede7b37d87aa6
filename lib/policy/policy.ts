// Who may have what, as a value: rules that grant and rules that deny. Nothing is granted that no rule grants.

/** A caller whose token was verified. */
export interface Caller {
  /** `iss` of the token. */
  readonly issuer: string;
  /** `sub` of the token: stable, and unique to its issuer. */
  readonly subject: string;
  /** In lower case; only where the issuer says that it has verified it. */
  readonly email?: string;
}

/** Whom a rule is for: exact, or `*` for a part of an address. */
export interface CallerPattern {
  readonly issuer: string;
  /** `alice@example.com`, `*@example.com`; `*` (in denials) is everyone of every issuer. */
  readonly email?: string;
  readonly subject?: string;
}

export const GRANTS = [
  'clusters',
  'refresh',
  'service-account-tokens',
  'federated-tokens',
  'access-tokens',
  'identity-tokens',
] as const;
export type Grant = (typeof GRANTS)[number];

/** The audience that stands for the API server itself, which has no name of its own. */
export const API_SERVER = 'api-server';

export interface Rule {
  /** For messages, explanations and the audit log; unique. */
  readonly name: string;
  readonly effect: 'grant' | 'deny';
  readonly what: Grant;
  readonly callers: readonly CallerPattern[];
  /** Absent, in a denial: any. A grant has what its kind of grant needs. */
  readonly clusters?: readonly string[];
  readonly namespaces?: readonly string[];
  /** Names in a namespace, or of Google (e-mail addresses). */
  readonly serviceAccounts?: readonly string[];
  readonly audiences?: readonly string[];
  readonly scopes?: readonly string[];
  /** Seconds. */
  readonly maxLifetime?: number;
  /** Of federated tokens: the workload identity pool, and which of its providers vouches for the cluster. */
  readonly pool?: string;
  readonly provider?: string;
}

export interface Policy {
  readonly rules: readonly Rule[];
}

/** What is granted where there is no policy. */
export const NOTHING: Policy = { rules: [] };

/** Under what names a cluster is known. */
export interface ClusterNames {
  readonly id?: string;
  readonly name: string;
  readonly aliases: readonly string[];
}

/** What a caller asks for, with everything in it that a rule may limit. */
export type Ask =
  | { readonly what: 'clusters'; readonly cluster: ClusterNames }
  | { readonly what: 'refresh' }
  | {
      readonly what: 'service-account-tokens';
      readonly cluster: ClusterNames;
      readonly namespace: string;
      readonly serviceAccount: string;
      /** `API_SERVER`, or another's. */
      readonly audience: string;
    }
  | {
      readonly what: 'federated-tokens';
      readonly cluster: ClusterNames;
      readonly namespace: string;
      readonly serviceAccount: string;
      readonly scopes: readonly string[];
    }
  | { readonly what: 'access-tokens'; readonly serviceAccount: string; readonly scopes: readonly string[] }
  | { readonly what: 'identity-tokens'; readonly serviceAccount: string; readonly audience: string };

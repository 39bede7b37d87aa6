// One line for every token that was minted and everything that was denied. Never the token: its hash tells two apart, and finds
// the line of one that turned up somewhere.
import { hash } from 'node:crypto';
import type { Token } from '../model/token.ts';

export interface AuditEntry {
  readonly requestId: string;
  readonly decision: 'minted' | 'denied' | 'failed';
  /** Absent where nobody was recognised. */
  readonly caller?: { readonly issuer: string; readonly subject: string; readonly email?: string };
  /** Address, where too many requests without a valid token come from it. */
  readonly peer?: string;
  /** The kind of grant, `authentication`, or the operation that was asked for. */
  readonly what: string;
  /** Whose token: `CLUSTER/NAMESPACE/NAME`, or an address of Google's. */
  readonly subject?: string;
  readonly audience?: string;
  readonly scopes?: readonly string[];
  /** RFC 3339. */
  readonly expiresAt?: string;
  /** SHA-256 of the token, hexadecimal. */
  readonly tokenHash?: string;
  /** The rule that decided; absent where none grants it. */
  readonly rule?: string;
  /** Why it was denied or failed, in a word or a sentence. */
  readonly reason?: string;
  /** True where it was minted before, for an identical grant of the same caller. */
  readonly cached?: boolean;
}

export function hashOf(token: Token): string {
  return hash('sha256', token.token, 'hex');
}

// Decides, mints, writes it down: the one way to a token. What is minted serves again for an identical grant of the same caller,
// and for nothing else.
import { singleFlight } from '../async/single-flight.ts';
import { Mk8sError } from '../model/errors.ts';
import type { Token } from '../model/token.ts';
import { decide } from '../policy/decide.ts';
import type { Ask, Rule } from '../policy/policy.ts';
import type { VerifiedCaller } from '../ports/caller.ts';
import { type AuditEntry, hashOf } from './audit.ts';
import { Problem } from './problems.ts';
import type { Services } from './services.ts';

interface MintRequest {
  readonly caller: VerifiedCaller;
  readonly requestId: string;
  readonly ask: Ask;
  /** For the audit log: whose token. */
  readonly subject: string;
  readonly audience?: string;
  readonly scopes?: readonly string[];
  /** Lifetime that is asked for, seconds; capped by the grant. Undefined: what the grant allows, `LONGEST_SECONDS` at most. */
  readonly seconds?: number | undefined;
  readonly signal: AbortSignal;
  /** Asks for the token; `seconds` is what is granted. */
  issue(granted: { readonly rule: Rule; readonly seconds: number }, signal: AbortSignal): Promise<Token>;
}

export interface Minted {
  readonly token: Token;
  /** What was asked of the issuer. */
  readonly seconds: number;
}

/** Google and this service: an hour. */
const LONGEST_SECONDS = 3_600;
/** An issuer's clock may be ahead of ours; what lives longer than this past the grant is not handed out. */
const SKEW_SECONDS = 60;
/** Kept at most; the oldest goes first. */
const MOST_KEPT = 1_000;

interface Kept {
  readonly mint: (signal?: AbortSignal) => Promise<Token>;
  token?: Token;
}

export type Mint = (request: MintRequest) => Promise<Minted>;

/** Throws Problem `denied` or `upstream`. Every end of it is a line in the audit log, written before the token is handed out. */
export function createMint({ policy, clock, audit, report }: Services): Mint {
  const kept = new Map<string, Kept>();

  return async (request) => {
    const { caller, requestId, ask, subject, audience, scopes, signal } = request;
    const about: Omit<AuditEntry, 'decision'> = {
      requestId,
      caller,
      what: ask.what,
      subject,
      ...(audience === undefined ? {} : { audience }),
      ...(scopes === undefined ? {} : { scopes }),
    };
    const decision = decide(policy, caller, ask);
    if (!decision.allow) {
      const why = decision.rule === undefined ? 'no rule grants it' : 'a rule denies it';
      const rule = decision.rule === undefined ? {} : { rule: decision.rule.name };
      audit({ ...about, decision: 'denied', reason: why, ...rule });
      throw new Problem('denied', { detail: 'The policy does not grant this token to this caller', audited: true });
    }
    const seconds = Math.min(request.seconds ?? LONGEST_SECONDS, decision.maxLifetime ?? LONGEST_SECONDS);
    const { rule } = decision;
    const key = JSON.stringify([caller.issuer, caller.subject, ask, rule.name, seconds]);
    const entry = entryOf(key, request, { rule, seconds });
    const cached = isFresh(entry.token, seconds, clock.now());
    try {
      const token = cached && entry.token !== undefined ? entry.token : await entry.mint(signal);
      if (token.expiresAt.getTime() > clock.now() + (seconds + SKEW_SECONDS) * 1000) {
        kept.delete(key);
        throw new Mk8sError('the issuer gave a token that lives longer than was granted; it is not handed out', {
          code: 'protocol',
        });
      }
      const expiresAt = token.expiresAt.toISOString();
      audit({ ...about, decision: 'minted', rule: rule.name, expiresAt, tokenHash: hashOf(token), cached });
      return { token, seconds };
    } catch (error) {
      signal.throwIfAborted();
      audit({ ...about, decision: 'failed', rule: rule.name, reason: reasonOf(error) });
      if (error instanceof Mk8sError) {
        report({ severity: 'WARNING', message: error.message, details: { requestId } });
      }
      throw upstream(error);
    }
  };

  function entryOf(key: string, request: MintRequest, granted: { rule: Rule; seconds: number }): Kept {
    const known = kept.get(key);
    if (known !== undefined) return known;
    const entry: Kept = {
      mint: singleFlight(async (signal) => {
        entry.token = await request.issue(granted, signal);
        return entry.token;
      }),
    };
    const oldest = kept.keys().next();
    if (kept.size >= MOST_KEPT && oldest.done !== true) kept.delete(oldest.value);
    kept.set(key, entry);
    return entry;
  }
}

/** Handed out again while half of its life is left: whoever asks wants to use it for a while. */
function isFresh(token: Token | undefined, seconds: number, now: number): boolean {
  return token !== undefined && token.expiresAt.getTime() - now > (seconds / 2) * 1000;
}

/** A word for the log: messages of issuers are in the report. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Mk8sError)) return 'internal';
  return [error.code, error.status, error.reason].filter((part) => part !== undefined && part !== '').join(' ');
}

/** What a caller may know: that it failed, and with which status. */
function upstream(error: unknown): unknown {
  if (!(error instanceof Mk8sError)) return error;
  const said =
    error.status === undefined ? '' : `: ${error.status}${error.reason === undefined ? '' : ` ${error.reason}`}`;
  const wait = Math.ceil((error.retryAfterMs ?? 0) / 1000);
  return new Problem('upstream', {
    detail: `The issuer of the token did not give it${said}`,
    ...(error.retryable && wait > 0 ? { headers: { 'retry-after': String(wait) } } : {}),
    cause: error,
  });
}

// Says what a policy decides, and why, rule by rule: for `mk8s policy explain`.
import { decide, isCaller } from './decide.ts';
import type { Ask, Caller, Policy, Rule } from './policy.ts';

export interface Explanation {
  readonly allow: boolean;
  /** One sentence. */
  readonly verdict: string;
  /** Of every rule of this kind: whether it is about this. */
  readonly rules: readonly { readonly name: string; readonly said: string }[];
}

export function explain(policy: Policy, caller: Caller, ask: Ask): Explanation {
  const decision = decide(policy, caller, ask);
  const who = caller.email ?? `${caller.issuer} ${caller.subject}`;
  const verdict = decision.allow
    ? `${who} may: rule "${decision.rule.name}" grants it${lifetime(decision.maxLifetime)}.`
    : decision.rule === undefined
      ? `${who} may not: no rule grants it.`
      : `${who} may not: rule "${decision.rule.name}" denies it.`;
  const ofKind = policy.rules.filter(({ what }) => what === ask.what);
  return {
    allow: decision.allow,
    verdict,
    rules: ofKind.map((rule) => ({ name: rule.name, said: saidBy(rule, caller, ask) })),
  };
}

/** A rule alone decides: what it would say if it were the only one. */
function saidBy(rule: Rule, caller: Caller, ask: Ask): string {
  if (!rule.callers.some((pattern) => isCaller(pattern, caller))) return 'is for other callers';
  const alone = decide({ rules: [rule] }, caller, ask);
  if (rule.effect === 'grant') return alone.allow ? 'grants it' : 'grants something else';
  return !alone.allow && alone.rule !== undefined ? 'denies it' : 'denies something else';
}

function lifetime(seconds: number | undefined): string {
  return seconds === undefined ? '' : `, for ${seconds / 60} minutes at most`;
}

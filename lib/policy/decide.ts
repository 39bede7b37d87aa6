// May this caller have this? A pure function of the policy, the caller and what is asked for.

import { matchesAudience, matchesEmail, matchesName, narrowness } from './patterns.ts';
import {
  type Ask,
  type Caller,
  type CallerPattern,
  type ClusterNames,
  GRANTS,
  type Grant,
  type Policy,
  type Rule,
} from './policy.ts';

export type Decision =
  | {
      readonly allow: true;
      readonly rule: Rule;
      /** The longest that what is minted may live, seconds; undefined where its issuer alone decides. */
      readonly maxLifetime: number | undefined;
    }
  | {
      readonly allow: false;
      /** The denial that decided; undefined where no rule grants it. */
      readonly rule?: Rule;
    };

/**
 * Denials are stronger than grants, whatever their order; of several the most specific one is named. Of several grants the one
 * with the longest lifetime counts, of these the first.
 */
export function decide(policy: Policy, caller: Caller, ask: Ask): Decision {
  const denials = policy.rules.filter((rule) => rule.effect === 'deny' && covers(rule, caller, ask));
  const denial = denials.toSorted((a, b) => specificity(b) - specificity(a))[0];
  if (denial !== undefined) return { allow: false, rule: denial };
  const grants = policy.rules.filter((rule) => rule.effect === 'grant' && covers(rule, caller, ask));
  const grant = grants.toSorted((a, b) => (b.maxLifetime ?? Infinity) - (a.maxLifetime ?? Infinity))[0];
  return grant === undefined ? { allow: false } : { allow: true, rule: grant, maxLifetime: grant.maxLifetime };
}

/** True where the rule is about this caller and all of what is asked for (a denial: any of it). */
function covers(rule: Rule, caller: Caller, ask: Ask): boolean {
  if (rule.what !== ask.what || !rule.callers.some((pattern) => isCaller(pattern, caller))) return false;
  const denies = rule.effect === 'deny';
  const one = (patterns: readonly string[] | undefined, matches: (pattern: string) => boolean): boolean =>
    patterns === undefined ? denies : patterns.some(matches);
  const cluster = (names: ClusterNames): boolean =>
    one(rule.clusters, (pattern) => clusterNames(names, denies).some((name) => matchesName(pattern, name)));
  const named = (patterns: readonly string[] | undefined, name: string): boolean =>
    one(patterns, (pattern) => matchesName(pattern, name));
  // A denial's star is wide, a grant's is narrow.
  const audience = (text: string): boolean =>
    one(rule.audiences, (pattern) => (denies ? matchesName : matchesAudience)(pattern, text));
  const account = (email: string): boolean =>
    one(rule.serviceAccounts, (pattern) => (denies ? matchesName : matchesEmail)(pattern, email));
  const scopes = (all: readonly string[]): boolean => {
    const granted = (scope: string): boolean => rule.scopes?.includes(scope) ?? denies;
    return denies ? all.some(granted) : all.length > 0 && all.every(granted);
  };
  switch (ask.what) {
    case 'refresh':
      return true;
    case 'clusters':
      return cluster(ask.cluster);
    case 'service-account-tokens':
      return (
        cluster(ask.cluster) &&
        named(rule.namespaces, ask.namespace) &&
        named(rule.serviceAccounts, ask.serviceAccount) &&
        audience(ask.audience)
      );
    case 'federated-tokens':
      return (
        cluster(ask.cluster) &&
        named(rule.namespaces, ask.namespace) &&
        named(rule.serviceAccounts, ask.serviceAccount) &&
        scopes(ask.scopes)
      );
    case 'access-tokens':
      return account(ask.serviceAccount) && scopes(ask.scopes);
    case 'identity-tokens':
      return account(ask.serviceAccount) && audience(ask.audience);
  }
}

/**
 * A grant goes by the cluster's id and its name; a denial by every name. Aliases are what any source calls a cluster, so that to grant
 * by them would let a source give a cluster the name of another.
 */
function clusterNames({ id, name, aliases }: ClusterNames, denies: boolean): readonly string[] {
  return [...(id === undefined ? [] : [id]), name, ...(denies ? aliases : [])];
}

export function isCaller(pattern: CallerPattern, caller: Caller): boolean {
  if (pattern.email === '*') return true;
  if (pattern.issuer !== caller.issuer) return false;
  if (pattern.subject !== undefined) return pattern.subject === caller.subject;
  return pattern.email !== undefined && caller.email !== undefined && matchesEmail(pattern.email, caller.email);
}

/** Of two denials the one that says more is the more specific one. */
function specificity(rule: Rule): number {
  const lists = [rule.clusters, rule.namespaces, rule.serviceAccounts, rule.audiences, rule.scopes];
  const callers = rule.callers.map(({ email, subject }) => (subject === undefined ? narrowness(email ?? '*') : 20_000));
  const narrowest = (numbers: readonly number[]): number => Math.min(20_000, ...numbers);
  const said = lists.map((list) => (list === undefined ? 0 : 1 + narrowest(list.map(narrowness))));
  return said.reduce((sum, each) => sum + each, narrowest(callers));
}

/** Whether any rule grants the caller anything of these kinds in the cluster: then it may know that there is such a cluster. */
export function mayKnow(policy: Policy, caller: Caller, cluster: ClusterNames): boolean {
  if (decide(policy, caller, { what: 'clusters', cluster }).allow) return true;
  return serviceAccountRules(policy, caller, cluster).length > 0;
}

/** The grants of tokens of the cluster's service accounts that are for this caller. A denial may still take some of it back. */
export function serviceAccountRules(policy: Policy, caller: Caller, cluster: ClusterNames): readonly Rule[] {
  const kinds: readonly Grant[] = GRANTS.filter((grant) => grant.endsWith('-tokens'));
  return policy.rules.filter(
    (rule) =>
      rule.effect === 'grant' &&
      kinds.includes(rule.what) &&
      rule.callers.some((pattern) => isCaller(pattern, caller)) &&
      rule.clusters?.some((pattern) => clusterNames(cluster, false).some((name) => matchesName(pattern, name))) ===
        true,
  );
}

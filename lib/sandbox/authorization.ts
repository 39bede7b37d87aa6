// What a user may do: everything for the admin; for others a table of rules, which stands in for RBAC.
import { anonymous, type User } from './authentication.ts';
import { ApiError, detailsOf, failure, qualified } from './status.ts';

/** What is asked for, in RBAC's terms. */
export interface Attributes {
  readonly verb: string;
  readonly group: string;
  /** Plural, with its subresource as `serviceaccounts/token`. */
  readonly resource: string;
  /** '' for the cluster scope. */
  readonly namespace: string;
  readonly name: string;
}

/** Grants `verbs` on `resources` of `groups` to users and groups of users; '*' stands for all. */
export interface Rule {
  /** User names and group names, e.g. `system:serviceaccount:team-a:reader`, `system:serviceaccounts`. */
  readonly subjects: readonly string[];
  readonly verbs: readonly string[];
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  /** Only in these namespaces; absent means everywhere. */
  readonly namespaces?: readonly string[];
}

/** What everybody who is authenticated may ask about himself. */
const selfReviews: Rule = {
  subjects: ['system:authenticated'],
  verbs: ['create'],
  groups: ['authentication.k8s.io', 'authorization.k8s.io'],
  resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'selfsubjectreviews'],
};

const openPaths = /^\/(version|healthz|livez|readyz)\/?$/;
const discoveryPaths = /^\/(api|apis|openapi|\.well-known|openid)(\/|$)/;

export class Authorizer {
  readonly rules: Rule[];

  constructor(rules: readonly Rule[]) {
    this.rules = [...rules];
  }

  allows(user: User, attributes: Attributes): boolean {
    if (user.groups.includes('system:masters')) return true;
    return [selfReviews, ...this.rules].some((rule) => applies(rule, user) && covers(rule, attributes));
  }

  /** Throws 403 where the user may not. */
  check(user: User, attributes: Attributes): void {
    if (!this.allows(user, attributes)) throw denied(user, attributes);
  }

  /** Throws 403 for paths that are not resources, such as /version, where the user may not read them. */
  checkPath(user: User, verb: string, path: string): void {
    if (user.groups.includes('system:masters') || openPaths.test(path)) return;
    if (user !== anonymous && discoveryPaths.test(path)) return;
    throw failure(403, 'Forbidden', `forbidden: User "${user.username}" cannot ${verb} path "${path}"`, {}, sniff);
  }

  /** The rules that apply to a user in a namespace, for SelfSubjectRulesReview. */
  rulesOf(user: User, namespace: string): readonly Rule[] {
    if (user.groups.includes('system:masters')) {
      return [{ subjects: [], verbs: ['*'], groups: ['*'], resources: ['*'] }];
    }
    return [selfReviews, ...this.rules].filter(
      (rule) => applies(rule, user) && (rule.namespaces === undefined || rule.namespaces.includes(namespace)),
    );
  }
}

const sniff = { 'X-Content-Type-Options': 'nosniff' };

function applies({ subjects }: Rule, { username, groups }: User): boolean {
  return subjects.some((subject) => subject === username || groups.includes(subject));
}

function covers(rule: Rule, { verb, group, resource, namespace }: Attributes): boolean {
  return (
    includes(rule.verbs, verb) &&
    includes(rule.groups, group) &&
    includes(rule.resources, resource) &&
    (rule.namespaces === undefined || rule.namespaces.includes(namespace))
  );
}

function includes(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}

function denied({ username }: User, { verb, group, resource, namespace, name }: Attributes): ApiError {
  const plural = resource.split('/')[0] ?? resource;
  const title = `${qualified({ group, plural })}${name === '' ? '' : ` "${name}"`}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const why = `User "${username}" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`;
  return failure(403, 'Forbidden', `${title} is forbidden: ${why}`, detailsOf(group, plural, name), sniff);
}

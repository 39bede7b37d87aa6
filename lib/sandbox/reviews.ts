// The resources that are questions: TokenRequest, TokenReview, access reviews. All are answered 201.
import type { Authenticator, User } from './authentication.ts';
import { userInfo } from './authentication.ts';
import type { Attributes, Authorizer } from './authorization.ts';
import { serviceAccounts } from './builtin.ts';
import { type Cluster, timestamp } from './cluster.ts';
import { asArray, asObject, asString, type Json, type JsonObject } from './json.ts';
import { invalid, notFound } from './status.ts';
import { issuer, type TokenKey } from './tokens.ts';

/** Plural of each review → its group and kind. */
export const reviews: Readonly<Record<string, { readonly group: string; readonly kind: string }>> = {
  tokenreviews: { group: 'authentication.k8s.io', kind: 'TokenReview' },
  selfsubjectreviews: { group: 'authentication.k8s.io', kind: 'SelfSubjectReview' },
  subjectaccessreviews: { group: 'authorization.k8s.io', kind: 'SubjectAccessReview' },
  selfsubjectaccessreviews: { group: 'authorization.k8s.io', kind: 'SelfSubjectAccessReview' },
  selfsubjectrulesreviews: { group: 'authorization.k8s.io', kind: 'SelfSubjectRulesReview' },
};

export class Reviewer {
  readonly #cluster: Cluster;
  readonly #authenticator: Authenticator;
  readonly #authorizer: Authorizer;
  readonly #key: TokenKey;

  constructor(cluster: Cluster, authenticator: Authenticator, authorizer: Authorizer, key: TokenKey) {
    this.#cluster = cluster;
    this.#authenticator = authenticator;
    this.#authorizer = authorizer;
    this.#key = key;
  }

  /** The answer to a review, or undefined where there is none of this name. */
  review(group: string, plural: string, user: User, body: JsonObject): JsonObject | undefined {
    const known = reviews[plural];
    if (known?.group !== group) return undefined;
    const spec = asObject(body['spec']);
    const answer = (status: JsonObject, metadata: JsonObject = {}): JsonObject => ({
      kind: known.kind,
      apiVersion: `${group}/v1`,
      metadata,
      ...(plural === 'selfsubjectreviews' ? {} : { spec: plural === 'selfsubjectrulesreviews' ? {} : spec }),
      status,
    });
    switch (plural) {
      case 'tokenreviews':
        return answer(this.#tokenReview(spec));
      case 'selfsubjectreviews':
        return answer({ userInfo: userInfo(user) }, { creationTimestamp: timestamp(this.#cluster.now()) });
      case 'selfsubjectaccessreviews':
        return answer({ allowed: this.#authorizer.allows(user, attributesOf(spec)) });
      case 'subjectaccessreviews': {
        const subject = { username: asString(spec['user']), groups: asArray(spec['groups']).map(asString) };
        return answer({ allowed: this.#authorizer.allows(subject, attributesOf(spec)) });
      }
      default:
        return answer(this.#rules(user, asString(spec['namespace'])));
    }
  }

  /** A token for the service account. Throws 404 without the account, 422 for less than ten minutes. */
  tokenRequest(namespace: string, name: string, body: JsonObject): JsonObject {
    const account = this.#cluster.collection(serviceAccounts).get(`${namespace}/${name}`);
    if (account === undefined) throw notFound(serviceAccounts, name);
    const spec = asObject(body['spec']);
    const seconds = typeof spec['expirationSeconds'] === 'number' ? spec['expirationSeconds'] : 3600;
    if (seconds < 600) {
      throw invalid('authentication.k8s.io', 'TokenRequest', '', [
        {
          reason: 'FieldValueInvalid',
          message: `Invalid value: ${seconds}: may not specify a duration less than 10 minutes`,
          field: 'spec.expirationSeconds',
        },
      ]);
    }
    const asked = asArray(spec['audiences']).map(asString);
    const audiences = asked.length === 0 ? [issuer] : asked;
    const now = Math.floor(this.#cluster.now() / 1000);
    const token = this.#key.sign({
      aud: audiences,
      exp: now + seconds,
      iat: now,
      iss: issuer,
      jti: this.#cluster.uid(),
      'kubernetes.io': { namespace, serviceaccount: { name, uid: account.uid } },
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${name}`,
    });
    return {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name, namespace, uid: account.uid, creationTimestamp: timestamp(now * 1000) },
      spec: { audiences, expirationSeconds: seconds, boundObjectRef: spec['boundObjectRef'] ?? null },
      status: { token, expirationTimestamp: timestamp((now + seconds) * 1000) },
    };
  }

  #tokenReview(spec: JsonObject): JsonObject {
    const token = asString(spec['token']);
    const asked = asArray(spec['audiences']).map(asString);
    const audiences = asked.length === 0 ? [issuer] : asked;
    const user = this.#authenticator.userOf(token, audiences);
    if (user !== undefined)
      return { authenticated: true, user: userInfo(user), audiences: this.#shared(token, audiences) };
    const claims = this.#authenticator.claimsOf(token);
    if (claims === undefined) return { user: {}, error: 'invalid bearer token' };
    const list = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
    const why = `token audiences ${list(claims.aud)} is invalid for the target audiences ${list(audiences)}`;
    return { user: {}, error: `[invalid bearer token, ${why}]` };
  }

  #shared(token: string, audiences: readonly string[]): Json[] {
    const claims = this.#authenticator.claimsOf(token);
    return claims === undefined ? [...audiences] : audiences.filter((audience) => claims.aud.includes(audience));
  }

  #rules(user: User, namespace: string): JsonObject {
    const rules = this.#authorizer.rulesOf(user, namespace);
    return {
      resourceRules: rules.map(({ verbs, groups, resources }) => ({
        verbs: [...verbs],
        apiGroups: [...groups],
        resources: [...resources],
      })),
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/api', '/api/*', '/apis', '/apis/*', '/version'] }],
      incomplete: false,
    };
  }
}

function attributesOf(spec: JsonObject): Attributes {
  const { verb, group, resource, subresource, namespace, name } = asObject(spec['resourceAttributes']);
  const plural = asString(resource);
  return {
    verb: asString(verb),
    group: asString(group),
    resource: asString(subresource) === '' ? plural : `${plural}/${asString(subresource)}`,
    namespace: asString(namespace),
    name: asString(name),
  };
}

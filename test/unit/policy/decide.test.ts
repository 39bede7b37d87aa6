import { describe, expect, test } from 'vitest';
import { decide } from '../../../lib/policy/decide.ts';
import type { Ask, Caller, Policy } from '../../../lib/policy/policy.ts';
import { readPolicy } from '../../../lib/policy/read-policy.ts';

const policy: Policy = await readPolicy(
  `
version: 1
rules:
  - {name: read, grant: clusters, callers: ['*@example.com'], clusters: ['prod-*']}
  - {name: short, grant: service-account-tokens, callers: [alice@example.com], clusters: ['prod-*'], namespaces: [shop],
     serviceAccounts: [deployer], audiences: [api-server, 'https://*.vault.example.com'], maxLifetime: 10m}
  - {name: long, grant: service-account-tokens, callers: [alice@example.com], clusters: [prod-a], namespaces: [shop],
     serviceAccounts: [deployer], audiences: [api-server], maxLifetime: 30m}
  - {name: by-subject, grant: service-account-tokens, callers: [{issuer: 'https://gitlab.example.com', subject: 'repo:shop'}],
     clusters: ['*'], namespaces: ['*'], serviceAccounts: ['*'], audiences: [api-server]}
  - {name: mail, grant: access-tokens, callers: [alice@example.com], serviceAccounts: [pub@p-12345.iam.gserviceaccount.com],
     scopes: ['https://www.googleapis.com/auth/pubsub']}
  - {name: nobody-in-payments, deny: service-account-tokens, callers: ['*'], namespaces: [payments]}
  - {name: not-prod-z, deny: service-account-tokens, callers: ['*'], clusters: [prod-z]}
  - {name: not-alice-in-prod-z, deny: service-account-tokens, callers: [alice@example.com], clusters: [prod-z], namespaces: [shop]}
`,
  'policy.yaml',
);

const google = (email: string): Caller => ({ issuer: 'https://accounts.google.com', subject: '1', email });
const alice = google('alice@example.com');
const token = (over: Partial<Extract<Ask, { what: 'service-account-tokens' }>> = {}, cluster = 'prod-a'): Ask => ({
  what: 'service-account-tokens',
  cluster: { id: `id-${cluster}`, name: cluster, aliases: [] },
  namespace: 'shop',
  serviceAccount: 'deployer',
  audience: 'api-server',
  ...over,
});

describe('a policy', () => {
  test.each<[string, Caller, Ask, string | undefined]>([
    ['the grant with the longest lifetime counts', alice, token(), 'long'],
    ['another grant where that one is not about it', alice, token({}, 'prod-b'), 'short'],
    ['an audience by its pattern', alice, token({ audience: 'https://eu.vault.example.com' }), 'short'],
    [
      'an identity by issuer and subject',
      { issuer: 'https://gitlab.example.com', subject: 'repo:shop' },
      token(),
      'by-subject',
    ],
    [
      'an access token with the scope',
      alice,
      {
        what: 'access-tokens',
        serviceAccount: 'pub@p-12345.iam.gserviceaccount.com',
        scopes: ['https://www.googleapis.com/auth/pubsub'],
      },
      'mail',
    ],
  ])('grants: %s', (_, caller, ask, rule) => {
    expect(decide(policy, caller, ask)).toMatchObject({ allow: true, rule: { name: rule } });
  });

  test.each<[string, Caller, Ask, string | undefined]>([
    ['another caller', google('bob@example.com'), token(), undefined],
    [
      'a caller of the same address of another issuer',
      { ...alice, issuer: 'https://gitlab.example.com' },
      token(),
      undefined,
    ],
    [
      'a caller whose address is its subject',
      { issuer: 'https://accounts.google.com', subject: 'alice@example.com' },
      token(),
      undefined,
    ],
    ['an address that ends as ours', google('alice@example.com.evil.example'), token(), undefined],
    ['an address that contains ours', google('mallory+alice@example.com'), token(), undefined],
    ['another cluster', alice, token({}, 'test-a'), undefined],
    [
      'a cluster whose alias is granted',
      alice,
      token({ cluster: { id: 'x', name: 'evil', aliases: ['prod-a'] } }),
      undefined,
    ],
    ['another namespace', alice, token({ namespace: 'shop2' }), undefined],
    ['another service account', alice, token({ serviceAccount: 'deployer-admin' }), undefined],
    ['another audience', alice, token({ audience: 'https://vault.example.com' }), undefined],
    [
      'an audience with a host before it',
      alice,
      token({ audience: 'https://evil.example/.vault.example.com' }),
      undefined,
    ],
    [
      'an audience with a user before it',
      alice,
      token({ audience: 'https://evil.example#.vault.example.com' }),
      undefined,
    ],
    ['an audience with a port', alice, token({ audience: 'https://evil.example:1.vault.example.com' }), undefined],
    [
      'one scope more',
      alice,
      {
        what: 'access-tokens',
        serviceAccount: 'pub@p-12345.iam.gserviceaccount.com',
        scopes: ['https://www.googleapis.com/auth/pubsub', 'https://www.googleapis.com/auth/cloud-platform'],
      },
      undefined,
    ],
    [
      'no scope',
      alice,
      { what: 'access-tokens', serviceAccount: 'pub@p-12345.iam.gserviceaccount.com', scopes: [] },
      undefined,
    ],
    [
      'another kind of token',
      alice,
      {
        what: 'identity-tokens',
        serviceAccount: 'pub@p-12345.iam.gserviceaccount.com',
        audience: 'https://x.example.com',
      },
      undefined,
    ],
    [
      'what is denied to all, although it is granted',
      { issuer: 'https://gitlab.example.com', subject: 'repo:shop' },
      token({ namespace: 'payments' }),
      'nobody-in-payments',
    ],
    ['by the most specific of several denials', alice, token({}, 'prod-z'), 'not-alice-in-prod-z'],
    [
      'a cluster by any of its names',
      alice,
      token({ cluster: { id: 'x', name: 'prod-a', aliases: ['prod-z'] } }),
      'not-alice-in-prod-z',
    ],
    ['refreshing, which no rule names', alice, { what: 'refresh' }, undefined],
  ])('does not grant: %s', (_, caller, ask, rule) => {
    const decision = decide(policy, caller, ask);
    expect(decision.allow).toBe(false);
    expect(decision.rule?.name).toBe(rule);
  });

  test('that has no rules grants nothing', () => {
    expect(decide({ rules: [] }, alice, { what: 'refresh' })).toEqual({ allow: false });
    expect(decide({ rules: [] }, alice, token())).toEqual({ allow: false });
  });
});

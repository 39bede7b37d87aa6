// infra/kubernetes: that the manifests give reading, and the tokens that are named, and nothing else.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';

const folder = resolve(import.meta.dirname, '../../../infra');

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules?: readonly Rule[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string }[];
}

function manifests(text: string): Manifest[] {
  const documents = parseAllDocuments(text);
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  return documents.map((document) => document.toJS() as Manifest);
}

/** What a rule allows beyond reading what may be read. */
function excess({ apiGroups = [], resources = [], resourceNames = [], verbs }: Rule): string[] {
  return [
    ...verbs.filter((verb) => !['get', 'list', 'watch'].includes(verb)).map((verb) => `the verb ${verb}`),
    ...apiGroups.filter((group) => group === '*' || /(?:^|\.)rbac\./.test(group)).map((group) => `the group ${group}`),
    ...(apiGroups.includes('')
      ? resources
          .filter((resource) => resource !== 'namespaces' || resourceNames.join() !== 'kube-system')
          .map((resource) => `${resource} of the core group`)
      : []),
  ];
}

const read = (name: string): string => readFileSync(join(folder, 'kubernetes', name), 'utf8');
const readOnly = manifests(read('read-only.yaml'));
const agent = manifests(read('connect-agent.yaml'));
const mint = manifests(read('mint-tokens.yaml'));

describe('the manifests', () => {
  test('are those that are checked here', () => {
    expect(readdirSync(join(folder, 'kubernetes')).sort()).toEqual([
      'connect-agent.yaml',
      'mint-tokens.yaml',
      'read-only.yaml',
    ]);
  });

  test('let the job get, list and watch, nothing else, and no core resource but the namespace kube-system', () => {
    expect(readOnly.flatMap(({ rules = [] }) => rules.flatMap(excess))).toEqual([]);
    expect(excess({ apiGroups: ['*', ''], resources: ['secrets'], verbs: ['get', 'delete'] })).toEqual([
      'the verb delete',
      'the group *',
      'secrets of the core group',
    ]);
  });

  test('bind each role to the service account, by its address and by its number', () => {
    const roles = readOnly.flatMap(({ kind, metadata }) => (kind === 'ClusterRole' ? [metadata.name] : []));
    const bindings = readOnly.filter(({ kind }) => kind === 'ClusterRoleBinding');
    expect(bindings.map(({ roleRef }) => roleRef?.name)).toEqual(roles);
    for (const { subjects } of bindings) {
      expect(subjects?.map(({ kind, name }) => [kind, name])).toEqual([
        ['User', '${service_account_email}'],
        ['User', '${service_account_id}'],
      ]);
    }
  });

  test("let the Connect agent speak for the service account only, as the agent's own account", () => {
    const [role, binding] = agent;
    expect(role?.rules).toEqual([
      {
        apiGroups: [''],
        resources: ['users'],
        resourceNames: ['${service_account_email}', '${service_account_id}'],
        verbs: ['impersonate'],
      },
    ]);
    expect(binding?.roleRef?.name).toBe(role?.metadata.name);
    expect(binding?.subjects).toEqual([{ kind: 'ServiceAccount', namespace: 'gke-connect', name: 'connect-agent-sa' }]);
  });

  test('let the function of tokens ask for tokens of accounts that are named, in their namespace, and of no other', () => {
    const roles = mint.filter(({ kind }) => kind === 'Role');
    expect(roles.flatMap(({ rules = [] }) => rules)).toEqual([
      { apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: ['deployer'], verbs: ['create'] },
    ]);
    const wide = mint.filter(({ kind }) => kind === 'ClusterRole');
    expect(wide.flatMap(({ rules = [] }) => rules.flatMap(excess))).toEqual([]);
    const bindings = mint.filter(({ kind }) => kind.endsWith('Binding'));
    expect(bindings.map(({ roleRef }) => roleRef?.name)).toEqual(['mk8s-tokens-discovery', 'mk8s-tokens']);
    for (const { subjects } of bindings) {
      expect(subjects?.map(({ kind, name }) => [kind, name])).toEqual([
        ['User', '${service_account_email}'],
        ['User', '${service_account_id}'],
      ]);
    }
  });

  test('have no placeholder that Terraform does not fill', () => {
    const filled = readFileSync(join(folder, 'outputs.tf'), 'utf8');
    const placeholders =
      `${read('read-only.yaml')}${read('connect-agent.yaml')}${read('mint-tokens.yaml')}`.match(/[$%]\{[^}]*\}/g) ?? [];
    expect(new Set(placeholders)).toEqual(new Set(['${service_account_email}', '${service_account_id}']));
    for (const placeholder of placeholders) expect(filled).toContain(` ${placeholder.slice(2, -1)} `);
  });
});

// infra/kubernetes on a real API server: what the manifests allow is enough for a run, and is no more than reading.
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { createCrd, putObject, type TestResource } from '../support/crd.ts';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../support/kube-apiserver.ts';
import { kubeconfigText } from '../support/kubeconfig-file.ts';
import { runMk8s } from '../support/process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const manifests = resolve(import.meta.dirname, '../../infra/kubernetes');
const email = 'mk8s-job@acme-mk8s.iam.gserviceaccount.com';
const number = '107517467455664443765';
const agent = 'system:serviceaccount:gke-connect:connect-agent-sa';

const listed: TestResource = {
  group: 'networking.istio.io',
  version: 'v1',
  plural: 'virtualservices',
  kind: 'VirtualService',
  namespaced: true,
};
const unlisted: TestResource = { ...listed, group: 'example.com', plural: 'widgets', kind: 'Widget' };

describe.skipIf(kubeAssets === undefined)(
  'the RBAC of infra/kubernetes, on a real API server (KUBEBUILDER_ASSETS)',
  () => {
    let kube: KubeApiServer;

    beforeAll(async () => {
      kube = await startKubeApiServer();
      for (const name of ['read-only.yaml', 'connect-agent.yaml']) {
        const text = readFileSync(join(manifests, name), 'utf8')
          .replaceAll('${service_account_email}', email)
          .replaceAll('${service_account_id}', number);
        for (const document of parseAllDocuments(text)) {
          const manifest = document.toJS() as { kind: string };
          await kube.client.call(
            'POST',
            `/apis/rbac.authorization.k8s.io/v1/${manifest.kind.toLowerCase()}s`,
            manifest,
          );
        }
      }
      for (const resource of [listed, unlisted]) {
        await createCrd(kube.client, resource);
        await putObject(kube.client, resource, { namespace: 'default', name: 'one' }, { hosts: ['a'] });
      }
    });
    afterAll(() => kube[Symbol.asyncDispose]());

    async function may(user: string, verb: string, resource: string, name = ''): Promise<boolean> {
      const [plural = '', ...group] = resource.split('.');
      const { status } = (await kube.client.call('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user,
          groups: ['system:authenticated'],
          resourceAttributes: { verb, resource: plural, group: group.join('.'), name },
        },
      })) as unknown as { status: { allowed: boolean } };
      return status.allowed;
    }

    test.each([
      ['address', email],
      ['number', number],
    ])(
      'a run as the service account, known by its %s, records the custom resources of the listed groups',
      async (_, user) => {
        await using folder = await temporaryFolder();
        const kubeconfig = join(folder.path, 'config');
        const config = JSON.parse(kubeconfigText({ one: kube })) as { users: { user: object }[] };
        const users = config.users.map((each) => ({ ...each, user: { ...each.user, as: user } }));
        await writeFile(kubeconfig, JSON.stringify({ ...config, users }));
        const data = join(folder.path, 'data');
        const flags = ['--kubeconfig', kubeconfig, '--resources', '*.istio.io', '--mode', 'catch-up', '--data', data];
        const run = await runMk8s(['run', ...flags]);
        expect(run.code, `${run.stdout}${run.stderr}`).toBe(0);
        const { metadata } = await kube.client.call('GET', '/api/v1/namespaces/kube-system');
        const feed = await runMk8s(['tail', '--data', data, '--output', 'json']);
        const lines = feed.stdout.trim().split('\n');
        expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
          {
            cluster: metadata?.uid,
            resource: 'virtualservices.networking.istio.io',
            object: { metadata: { name: 'one' } },
          },
        ]);
      },
    );

    test('it may read no Secret, no other group and no other namespace, and write nothing', async () => {
      const reads = ['secrets', 'configmaps', 'pods', 'widgets.example.com', 'clusterroles.rbac.authorization.k8s.io'];
      for (const resource of reads) expect(await may(email, 'list', resource), resource).toBe(false);
      expect(await may(email, 'list', 'namespaces')).toBe(false);
      expect(await may(email, 'get', 'namespaces', 'default')).toBe(false);
      expect(await may(email, 'get', 'namespaces', 'kube-system')).toBe(true);
      for (const verb of ['create', 'update', 'patch', 'delete', 'deletecollection']) {
        expect(await may(email, verb, 'virtualservices.networking.istio.io'), verb).toBe(false);
        expect(await may(email, verb, 'customresourcedefinitions.apiextensions.k8s.io'), verb).toBe(false);
      }
    });

    test('the Connect agent may speak for it, and for nobody else', async () => {
      expect(await may(agent, 'impersonate', 'users', email)).toBe(true);
      expect(await may(agent, 'impersonate', 'users', 'admin@example.com')).toBe(false);
      expect(await may(agent, 'impersonate', 'groups', 'system:masters')).toBe(false);
    });
  },
);

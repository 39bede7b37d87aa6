// Whose Google tokens a process has, by what there is around it. Google is a fake on loopback, found as its libraries find it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { kubeconfigSource } from '../../../lib/adapters/kubernetes/kubeconfig.ts';
import { type GoogleIdentity, type IdentityOptions, openGoogleIdentity } from '../../../lib/compose/google-identity.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { type FakeFleet, startFakeFleet } from '../../support/fake-fleet.ts';
import { kubeconfigText } from '../../support/kubeconfig-file.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';

const runner = 'service account runner@fleet-project.iam.gserviceaccount.com (metadata server)';
const adc = 'the application default credentials';
const nobodys = { url: 'https://127.0.0.1:1', token: 'secret', ca: '' };

let fleet: FakeFleet;
let folder: TemporaryFolder;
beforeAll(async () => {
  fleet = await startFakeFleet('ya29.of-the-workload', { clusters: [], memberships: [] });
});
afterAll(() => fleet[Symbol.asyncDispose]());
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await folder[Symbol.asyncDispose]();
});

/** What there may be. */
const present = {
  metadata: () => Promise.resolve(fleet.env),
  async credentials() {
    const file = join(folder.path, 'adc.json');
    const person = { type: 'authorized_user', client_id: 'a', client_secret: 'b', refresh_token: 'c' };
    await writeFile(file, JSON.stringify(person));
    return { GOOGLE_APPLICATION_CREDENTIALS: file };
  },
  cluster: () => kubeconfig({ 'gke_shop-prod_europe-west1-b_web': nobodys }),
  'two clusters': async () => {
    const env = await kubeconfig({ one: nobodys, two: nobodys });
    const noneIsCurrent = kubeconfigText({ one: nobodys, two: nobodys }).replace(
      `"current-context":"one"`,
      `"current-context":""`,
    );
    await writeFile(env.KUBECONFIG, noneIsCurrent);
    return env;
  },
};

async function kubeconfig(contexts: Parameters<typeof kubeconfigText>[0]): Promise<{ KUBECONFIG: string }> {
  const file = join(folder.path, 'kubeconfig');
  await writeFile(file, kubeconfigText(contexts));
  return { KUBECONFIG: file };
}

async function open(
  what: readonly (keyof typeof present)[],
  flags: Record<string, string> = {},
  options: IdentityOptions = {},
): Promise<GoogleIdentity> {
  const found = await Promise.all(what.map((each) => present[each]()));
  const env: Record<string, string> = Object.assign({ ...fleet.envElsewhere, HOME: folder.path }, ...found);
  // Google's libraries read the environment of the process.
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const { config } = await loadConfig({ flags, env: {}, cwd: folder.path, useFolder: false });
  return await openGoogleIdentity(config, { env }, options);
}

describe('the identity for Google', () => {
  test.each([
    [['metadata'], runner],
    [['credentials'], adc],
    [['cluster'], 'the service account of cluster "gke_shop-prod_europe-west1-b_web"'],
    [['credentials', 'metadata'], adc],
    [['metadata', 'cluster'], runner],
    [['credentials', 'cluster'], adc],
    [['credentials', 'metadata', 'cluster'], adc],
    // The advice on these is the one that helps.
    [[], adc],
    [['two clusters'], adc],
  ] as const)('with %j is %s', async (what, expected) => {
    const identity = await open(what);
    await identity.place();
    expect(identity.tokens.identity).toBe(expected);
    await identity.close();
  });

  test('is the named service account of the cluster before all others', async () => {
    const all = ['credentials', 'metadata', 'cluster'] as const;
    const configured = await open(all, { 'google.kubernetesServiceAccount': 'shop/worker' });
    await configured.place();
    expect(configured.tokens.identity).toBe(
      'service account shop/worker of cluster "gke_shop-prod_europe-west1-b_web"',
    );
    const asked = await open(all, { 'google.kubernetesServiceAccount': 'shop/worker' }, { account: { name: 'other' } });
    await asked.place();
    expect(asked.tokens.identity).toBe('service account default/other of cluster "gke_shop-prod_europe-west1-b_web"');
  });

  test('is that of a cluster that is named, before all others', async () => {
    const { KUBECONFIG } = await present.cluster();
    const [candidate] = (await kubeconfigSource({ path: KUBECONFIG, env: {}, home: folder.path }).discover())
      .candidates;
    const home = { find: () => Promise.resolve(candidate), close: () => Promise.resolve() };
    const identity = await open(['credentials', 'metadata'], {}, { home });
    await identity.place();
    expect(identity.tokens.identity).toBe('the service account of cluster "gke_shop-prod_europe-west1-b_web"');
  });

  test('acts as the service account that is to be impersonated, whichever it is', async () => {
    for (const what of [['metadata'], ['credentials'], ['cluster']] as const) {
      const identity = await open(what, { 'google.impersonate': 'a@p.iam.gserviceaccount.com' });
      expect(identity.tokens.principal).toBe('serviceAccount:a@p.iam.gserviceaccount.com');
      expect(identity.caller).toBe(identity.tokens);
      expect(await identity.email()).toBe('a@p.iam.gserviceaccount.com');
    }
  });

  test('says the pool and the place of a cluster by its name, also while it does not answer', async () => {
    const identity = await open(['cluster']);
    expect(await identity.email()).toBe('shop-prod.svc.id.goog');
    expect(await identity.place()).toMatchObject({ project: 'shop-prod', location: 'europe-west1-b', name: 'web' });
  });

  test('says the project and the account that the metadata server says', async () => {
    const identity = await open(['metadata']);
    expect(await identity.email()).toBe('runner@fleet-project.iam.gserviceaccount.com');
    expect(await identity.projectId()).toBe('fleet-project');
    expect(await identity.place()).toEqual({});
    expect(identity.surroundings).toMatchObject({ projectNumber: '123456789012', region: 'us-central1' });
  });
});

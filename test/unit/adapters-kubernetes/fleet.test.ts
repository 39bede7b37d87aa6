import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Fleet } from '../../../lib/adapters/kubernetes/fleet.ts';
import { type LoadOptions, loadDefaultFleet } from '../../../lib/adapters/kubernetes/fleet-default.ts';
import { chooseDefault } from '../../../lib/discover/default-cluster.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import type { ClusterCandidate, ClusterSource } from '../../../lib/ports/cluster-source.ts';
import { fakeApiServer, jsonAnswer, statusAnswer } from '../../support/fake-api-server.ts';
import { failure } from '../../support/fake-client.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const contexts = { a: { cluster: 'c1', user: 'u', namespace: 'team-a' }, b: { cluster: 'c2', user: 'u' } };

function config(entries: Record<string, object> = contexts, current = 'b'): string {
  const server = (name: string) => ({ name, cluster: { server: `https://${name}.example` } });
  return JSON.stringify({
    'current-context': current,
    contexts: Object.entries(entries).map(([name, context]) => ({ name, context })),
    clusters: ['c1', 'c2'].map(server),
    users: [{ name: 'u', user: { token: 'hunter2' } }],
  });
}

async function load(home: string, env: Record<string, string> = {}, options: LoadOptions = {}): Promise<Fleet> {
  return loadDefaultFleet(options, { env, home, serviceAccountFolder: join(home, 'serviceaccount') });
}

/** A home with `.kube/config`, and what is loaded there. */
async function withConfig(text: string, check: (fleet: Fleet) => unknown): Promise<void> {
  await using home = await temporaryFolder();
  await mkdir(join(home.path, '.kube'));
  await writeFile(join(home.path, '.kube/config'), text);
  await using fleet = await load(home.path);
  await check(fleet);
}

function candidate(name: string, rest: Partial<ClusterCandidate> = {}): ClusterCandidate {
  const api = fakeApiServer(() => jsonAnswer({}));
  return {
    name,
    source: 'test',
    server: `https://${name}`,
    namespace: 'default',
    isDefault: false,
    fingerprint: name,
    connect: () => api,
    ...rest,
  };
}

function source(...candidates: ClusterCandidate[]): ClusterSource {
  return { name: 'test', discover: () => Promise.resolve({ candidates, problems: [] }) };
}

async function fleetOf(...candidates: ClusterCandidate[]): Promise<Fleet> {
  return loadDefaultFleet({ sources: [source(...candidates)] }, { env: {}, home: '/nowhere' });
}

function thrown(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Mk8sError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('expected an Mk8sError');
}

describe('the clusters of a fleet', () => {
  test('are all contexts of ~/.kube/config, with the current one as default', async () => {
    await withConfig(config(), (fleet) => {
      expect(fleet.clusters.map(({ name, namespace, server }) => [name, namespace, server])).toEqual([
        ['a', 'team-a', 'https://c1.example'],
        ['b', 'default', 'https://c2.example'],
      ]);
      expect(fleet.default.name).toBe('b');
      expect(fleet.get('a').source).toBe('kubeconfig');
      expect(fleet.problems).toEqual([]);
    });
  });

  test('come from KUBECONFIG where it is set, and from a file that is named before all', async () => {
    await using home = await temporaryFolder();
    const [one, two] = [join(home.path, 'one'), join(home.path, 'two')];
    await writeFile(one, config({ x: contexts.a }, 'x'));
    await writeFile(two, config({ y: contexts.b }, 'y'));
    await using all = await load(home.path, { KUBECONFIG: `${one}:${two}` });
    expect(all.clusters.map(({ name }) => name)).toEqual(['x', 'y']);
    expect(all.default.name).toBe('x');
    await using named = await load(home.path, { KUBECONFIG: one }, { kubeconfig: two });
    expect(named.clusters.map(({ name }) => name)).toEqual(['y']);
    await using chosen = await load(home.path, { KUBECONFIG: `${one}:${two}` }, { contexts: ['y'] });
    expect(chosen.clusters.map(({ name }) => name)).toEqual(['y']);
  });

  test('are the one that the process runs in, where there is no kubeconfig', async () => {
    await using home = await temporaryFolder();
    await mkdir(join(home.path, 'serviceaccount'));
    await writeFile(join(home.path, 'serviceaccount/token'), 'hunter2\n');
    await using fleet = await load(home.path, { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' });
    expect(fleet.default).toMatchObject({ source: 'in-cluster', server: 'https://10.0.0.1' });
    expect(thrown(() => fleet.default.kubeConfig)).toContain('was found by in-cluster, not in a kubeconfig');
  });

  test('are there also where one of their contexts cannot work, which is a problem', async () => {
    await withConfig(config({ ...contexts, bad: { cluster: 'missing', user: 'u' } }), (fleet) => {
      expect(fleet.clusters).toHaveLength(2);
      expect(fleet.problems).toHaveLength(1);
      expect(fleet.problems[0]?.message).toContain('"bad"');
    });
  });

  test('are there also where one source fails, or one cannot be opened', async () => {
    const failing = { name: 'cloud', discover: () => Promise.reject(new Error('no such project')) };
    const connect = (): never => {
      throw new Mk8sError('Cannot use context "x": no server', { code: 'config' });
    };
    const sources = [failing, source(candidate('x', { connect }), candidate('y'))];
    await using fleet = await loadDefaultFleet({ sources }, { env: {}, home: '/nowhere' });
    expect(fleet.clusters.map(({ name }) => name)).toEqual(['y']);
    expect(fleet.problems).toEqual([
      { source: 'cloud', message: 'no such project' },
      { source: 'test', message: 'Cannot use context "x": no server' },
    ]);
  });

  test('that differ in name alone are one, with an alias, under the default name', async () => {
    const same = { ...contexts.a };
    await withConfig(
      config({ gke_long_name: same, short: same, elsewhere: { ...same, namespace: 'x' } }, 'short'),
      (fleet) => {
        expect(fleet.clusters.map(({ name, aliases }) => [name, aliases])).toEqual([
          ['short', ['gke_long_name']],
          ['elsewhere', []],
        ]);
        expect(fleet.get('gke_long_name')).toBe(fleet.default);
      },
    );
  });

  test('promise 9: show no credential when they are printed', async () => {
    await withConfig(config(), (fleet) => {
      expect(inspect(fleet, { depth: 9, showHidden: true })).not.toContain('hunter2');
      expect(JSON.stringify(fleet)).not.toContain('hunter2');
    });
  });

  test('are closed with the fleet', async () => {
    const api = fakeApiServer(() => ({}));
    {
      await using fleet = await fleetOf(candidate('x', { connect: () => api }));
      expect(fleet.clusters).toHaveLength(1);
    }
    expect(api.closed()).toBe(true);
  });
});

describe('the default cluster', () => {
  test('is the only one there is, where none is current', async () => {
    expect((await fleetOf(candidate('x'))).default.name).toBe('x');
  });

  test('among several without a current one is an error that names them', async () => {
    const fleet = await fleetOf(candidate('x'), candidate('y'));
    expect(thrown(() => fleet.default)).toBe(
      'config: Cannot tell the default cluster: no context is current, and there are 2: "x", "y"; choose one by fleet.get(name), or set one by "kubectl config use-context"',
    );
  });

  test('is found by region and name where none is current, and places are known', async () => {
    const found = [candidate('gke_p_us-east1_a'), candidate('gke_p_us-west1_b'), candidate('x')];
    const byRegion = (region: string): Promise<Fleet> =>
      loadDefaultFleet(
        { sources: [source(...found)] },
        { env: {}, home: '/nowhere', chooseDefault: (candidates) => chooseDefault(candidates, { region }) },
      );
    expect((await byRegion('us-west1')).default).toMatchObject({ name: 'gke_p_us-west1_b', isDefault: true });
    expect((await byRegion('us-east1')).default.name).toBe('gke_p_us-east1_a');
  });

  test('of an empty fleet is an error that says what was tried', async () => {
    await using home = await temporaryFolder();
    const fleet = await load(home.path);
    expect(thrown(() => fleet.default)).toBe(
      `config: Cannot tell the default cluster: no cluster was found; KUBECONFIG is not set; ${home.path}/.kube/config does not exist; this is not a pod of a cluster`,
    );
    const missing = await load(home.path, { KUBECONFIG: join(home.path, 'missing') });
    expect(thrown(() => missing.get('x'))).toMatch(
      /^config: Cannot find cluster "x": no cluster was found at all; KUBECONFIG names no file/,
    );
  });

  test('of a broken kubeconfig is an error with the file and line', async () => {
    await withConfig('contexts: [', (fleet) => {
      expect(thrown(() => fleet.default)).toMatch(/\.kube\/config, line 1/);
    });
  });
});

describe('a cluster of a fleet', () => {
  test('is found by name, alias, or an id that is known', async () => {
    const fleet = await fleetOf(candidate('x', { id: 'projects/p/x' }), candidate('y'));
    expect(fleet.get('projects/p/x').name).toBe('x');
    expect(thrown(() => fleet.get('z'))).toBe('config: Cannot find cluster "z": there are "x", "y"');
  });

  test('is asked who it is once, and found by that then', async () => {
    const api = fakeApiServer(({ path }) =>
      jsonAnswer(path === '/version' ? { gitVersion: 'v1.36.2' } : { metadata: { uid: 'u-1' } }),
    );
    const fleet = await fleetOf(candidate('x', { connect: () => api }), candidate('y'));
    const cluster = fleet.get('x');
    expect(cluster.id).toBeUndefined();
    expect(api.requests).toHaveLength(0);
    const [first, second] = await Promise.all([cluster.identity(), cluster.identity()]);
    expect(first).toEqual({ id: 'u-1', version: 'v1.36.2' });
    expect(second).toEqual(first);
    await cluster.identity();
    expect(api.requests).toHaveLength(2);
    expect(fleet.get('u-1')).toBe(cluster);
  });

  test("has a KubeConfig with its own context, cluster and user, and nobody else's credentials", async () => {
    const whole = JSON.parse(config()) as { users: object[] };
    whole.users.push({ name: 'other', user: { token: 'of another' } });
    await withConfig(JSON.stringify(whole), (fleet) => {
      const { kubeConfig } = fleet.get('a');
      expect(kubeConfig.getCurrentContext()).toBe('a');
      expect(kubeConfig.getContexts().map(({ name }) => name)).toEqual(['a']);
      expect(kubeConfig.getClusters().map(({ name }) => name)).toEqual(['c1']);
      expect(kubeConfig.getUsers()).toMatchObject([{ name: 'u', token: 'hunter2' }]);
    });
  });

  test('that could not say who it is is asked again', async () => {
    const api = fakeApiServer((_, count) =>
      count <= 2
        ? statusAnswer(503, 'ServiceUnavailable', 'not now')
        : jsonAnswer({ gitVersion: 'v1', metadata: { uid: 'u' } }),
    );
    const [cluster] = (await fleetOf(candidate('x', { connect: () => api }))).clusters;
    const error = await failure(cluster?.identity() ?? Promise.resolve());
    expect(error.message).toMatch(/in cluster "x": not now \(503 ServiceUnavailable\)$/);
    expect(await cluster?.identity()).toMatchObject({ id: 'u' });
  });
});

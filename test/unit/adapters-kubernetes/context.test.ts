import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { defaultSources } from '../../../lib/adapters/kubernetes/context-defaults.ts';
import { inClusterSource } from '../../../lib/adapters/kubernetes/in-cluster.ts';
import { kubeconfigSource } from '../../../lib/adapters/kubernetes/kubeconfig.ts';
import type { ClusterCandidate } from '../../../lib/ports/cluster-source.ts';
import { createAuthority } from '../../support/certificates.ts';
import { serveHttps } from '../../support/loopback-server.ts';
import { readText } from '../../support/read-body.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const authority = createAuthority();
const jane = authority.issue({ commonName: 'jane' });
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const EXEC = 'client.authentication.k8s.io/v1';

interface Entries {
  readonly cluster?: object;
  readonly user?: object;
  readonly context?: object;
}

/** A kubeconfig with a good context `good` and one made of `entries`, `odd`. */
async function withContext({ cluster = {}, user = {}, context = {} }: Entries, env: Record<string, string> = {}) {
  const folder = await scratchFolder();
  const file = join(folder.path, 'config');
  await writeFile(join(folder.path, 'jane.crt'), jane.certificate);
  await writeFile(join(folder.path, 'jane.key'), jane.key);
  await writeFile(
    file,
    stringify({
      clusters: [
        { name: 'c', cluster: { server: 'https://10.0.0.1:6443' } },
        { name: 'odd', cluster: { server: 'https://10.0.0.2', ...cluster } },
      ],
      users: [
        { name: 'u', user: { token: 'abc' } },
        { name: 'odd', user },
      ],
      contexts: [
        { name: 'good', context: { cluster: 'c', user: 'u', namespace: 'team-a' } },
        { name: 'odd', context: { cluster: 'odd', user: 'odd', ...context } },
      ],
      'current-context': 'good',
    }),
  );
  const source = kubeconfigSource({ env: { KUBECONFIG: file, ...env }, home: folder.path });
  return { file, path: folder.path, source, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

describe('a kubeconfig source', () => {
  test('gives every context as a candidate, the current one as the default', async () => {
    await using it = await withContext({});
    const { candidates, problems } = await it.source.discover();
    expect(problems).toEqual([]);
    expect(candidates).toMatchObject([
      { name: 'good', source: 'kubeconfig', server: 'https://10.0.0.1:6443', namespace: 'team-a', isDefault: true },
      { name: 'odd', source: 'kubeconfig', server: 'https://10.0.0.2', namespace: 'default', isDefault: false },
    ]);
  });

  test('hands on whom to trust, and under which name; not that nobody is looked at', async () => {
    const data = base64(authority.certificate);
    await using named = await withContext({
      cluster: { 'certificate-authority-data': data, 'tls-server-name': 'kubernetes.default.svc' },
    });
    const candidate = (await named.source.discover()).candidates.find(({ name }) => name === 'odd');
    expect(candidate?.certificateAuthority).toBe(authority.certificate);
    expect(candidate?.tlsServerName).toBe('kubernetes.default.svc');
    await using insecure = await withContext({ cluster: { 'insecure-skip-tls-verify': true } });
    expect(JSON.stringify((await insecure.source.discover()).candidates)).not.toMatch(/insecure/i);
  });

  test('gives only the contexts that are asked for, and says which of them do not exist', async () => {
    await using it = await withContext({});
    const source = kubeconfigSource({ env: { KUBECONFIG: it.file }, home: '/', contexts: ['odd', 'none'] });
    const { candidates, problems } = await source.discover();
    expect(candidates.map(({ name }) => name)).toEqual(['odd']);
    expect(problems.map(({ message }) => message)).toEqual([
      `Kubeconfig ${it.file}: there is no context "none"; there are: good, odd.`,
    ]);
  });

  const certificate = { 'client-certificate-data': base64(jane.certificate), 'client-key-data': base64(jane.key) };
  test.each<[string, Entries, RegExp]>([
    ['an unknown cluster', { context: { cluster: 'nope' } }, /cluster "nope" is not defined/],
    ['an unknown user', { context: { user: 'nope' } }, /user "nope" is not defined/],
    ['no cluster', { context: { cluster: '' } }, /it names no cluster/],
    ['no server', { cluster: { server: '' } }, /has no server/],
    ['a server that is no URL', { cluster: { server: 'https://' } }, /server is not an http\(s\) URL/],
    ['a server of another scheme', { cluster: { server: 'ftp://x' } }, /server is not an http\(s\) URL/],
    [
      'a missing CA file',
      { cluster: { 'certificate-authority': 'none.pem' } },
      /Cannot read certificate authority .*none\.pem/,
    ],
    [
      'CA data that is not PEM',
      { cluster: { 'certificate-authority-data': base64('hello') } },
      /certificate-authority-data is not base64 of PEM/,
    ],
    ['a CA file that is not PEM', { cluster: { 'certificate-authority': 'config' } }, /not PEM/],
    [
      'a CA that is garbage inside',
      {
        cluster: {
          'certificate-authority-data': base64('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
        },
      },
      /cannot be used/,
    ],
    [
      'a CA and insecure-skip-tls-verify',
      { cluster: { 'certificate-authority-data': base64(authority.certificate), 'insecure-skip-tls-verify': true } },
      /Remove one of them/,
    ],
    ['a wrong proxy-url', { cluster: { 'proxy-url': 'gopher://p' } }, /proxy-url is not the URL of a proxy/],
    [
      'a missing certificate file',
      { user: { 'client-certificate': 'none.crt', 'client-key': 'jane.key' } },
      /Cannot read client certificate .*none\.crt/,
    ],
    ['a certificate without a key', { user: { 'client-certificate': 'jane.crt' } }, /no client-key/],
    ['a key without a certificate', { user: { 'client-key': 'jane.key' } }, /no client-certificate/],
    [
      'a key of another certificate',
      { user: { ...certificate, 'client-key-data': base64(authority.key) } },
      /key belongs to the certificate|mismatch/,
    ],
    ['a missing token file', { user: { tokenFile: 'none' } }, /tokenFile cannot be read/],
    [
      'a token and a password',
      { user: { token: 'abc', username: 'jane', password: 'x' } },
      /both a token and a username/,
    ],
    [
      'the legacy gcp provider',
      { user: { 'auth-provider': { name: 'gcp' } } },
      /auth-provider "gcp".*gke-gcloud-auth-plugin/,
    ],
    [
      'another legacy provider',
      { user: { 'auth-provider': { name: 'openstack' } } },
      /auth-provider "openstack".*exec plugin/,
    ],
    [
      'a plugin of v1alpha1',
      { user: { exec: { apiVersion: 'client.authentication.k8s.io/v1alpha1', command: 'x' } } },
      /v1alpha1, which Kubernetes removed.*v1beta1/,
    ],
    ['a plugin of no version', { user: { exec: { command: 'x' } } }, /has no apiVersion/],
    ['a plugin without a command', { user: { exec: { apiVersion: EXEC } } }, /has no command/],
    [
      'a plugin that wants a terminal',
      { user: { exec: { apiVersion: EXEC, command: 'x', interactiveMode: 'Always' } } },
      /wants a terminal/,
    ],
    ['groups without a user', { user: { 'as-groups': ['g'] } }, /but not as/],
  ])(
    'a context with %s is a problem that names file and context, and the others are found',
    async (_, entries, expected) => {
      await using it = await withContext(entries);
      const { candidates, problems } = await it.source.discover();
      expect(candidates.map(({ name }) => name)).toEqual(['good']);
      expect(problems).toEqual([{ source: 'kubeconfig', message: expect.stringMatching(expected) }]);
      expect(problems[0]?.message).toContain(`Kubeconfig ${it.file}, context "odd": `);
    },
  );

  test.each<[string, Entries, RegExp]>([
    ['insecure-skip-tls-verify', { cluster: { 'insecure-skip-tls-verify': true } }, /insecure-skip-tls-verify is set/],
    [
      'data and file of a certificate',
      { user: { ...certificate, 'client-certificate': 'none.crt' } },
      /client-certificate-data and client-certificate are both set; the data is used/,
    ],
  ])('%s is a warning, and the context works', async (_, entries, expected) => {
    await using it = await withContext(entries);
    const { candidates, problems } = await it.source.discover();
    expect(candidates).toHaveLength(2);
    expect(problems).toEqual([{ source: 'kubeconfig', message: expect.stringMatching(expected) }]);
  });

  test('the fingerprint changes with endpoint and credentials, not with names and namespaces, and shows nothing', async () => {
    const fingerprint = async (entries: Entries): Promise<string> => {
      await using it = await withContext(entries);
      return (await it.source.discover()).candidates[1]?.fingerprint ?? '';
    };
    const plain = await fingerprint({ user: { token: 'abc' } });
    expect(plain).toMatch(/^[0-9a-f]{64}$/);
    expect(await fingerprint({ user: { token: 'abc' }, context: { namespace: 'x' } })).toBe(plain);
    expect(await fingerprint({ user: { token: 'abd' } })).not.toBe(plain);
    expect(await fingerprint({ user: { token: 'abc' }, cluster: { server: 'https://10.0.0.3' } })).not.toBe(plain);
  });
});

describe('what a context sends', () => {
  const loopback = authority.issue({ commonName: 'server', names: ['127.0.0.1'] });
  const ca = { 'certificate-authority-data': base64(authority.certificate) };

  async function sent(entries: Entries, files: Record<string, string> = {}) {
    const seen: NodeJS.Dict<string | string[]>[] = [];
    await using server = await serveHttps({ cert: loopback.certificate, key: loopback.key }, (request, response) => {
      seen.push(request.headers);
      response.end();
    });
    await using it = await withContext(
      { ...entries, cluster: { server: server.url.href, ...ca, ...entries.cluster } },
      { PATH: process.env['PATH'] ?? '' },
    );
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(it.path, 'bin'), { recursive: true });
      await writeFile(join(it.path, name), text);
      await chmod(join(it.path, name), 0o755);
    }
    const { candidates, problems } = await it.source.discover();
    expect(problems).toEqual([]);
    await request(candidates[1]);
    return { headers: seen[0] ?? {}, folder: it, written: (name: string) => readFile(join(it.path, name), 'utf8') };
  }

  async function request(candidate: ClusterCandidate | undefined): Promise<void> {
    const api = candidate?.connect();
    if (api === undefined) throw new Error('no candidate');
    await readText(await api.request({ path: '/api' }));
    await api.close();
  }

  test('a token', async () => {
    expect((await sent({ user: { token: 'abc' } })).headers).toMatchObject({ authorization: 'Bearer abc' });
  });

  test('the token file before the token', async () => {
    const { headers } = await sent(
      { user: { token: 'abc', tokenFile: 'token' } },
      { token: 'from file\n'.replace(' ', '-') },
    );
    expect(headers).toMatchObject({ authorization: 'Bearer from-file' });
  });

  test('username and password', async () => {
    const { headers } = await sent({ user: { username: 'jane', password: 'pä:ss' } });
    expect(headers).toMatchObject({ authorization: `Basic ${base64('jane:pä:ss')}` });
  });

  test('nothing without a user', async () => {
    const { headers } = await sent({ context: { user: '' } });
    expect(headers).not.toHaveProperty('authorization');
  });

  test('whom it impersonates', async () => {
    const { headers } = await sent({
      user: {
        token: 'abc',
        as: 'joe',
        'as-uid': '7',
        'as-groups': ['dev', 'ops'],
        'as-user-extra': { 'example.com/scope': ['a', 'b'] },
      },
    });
    expect(headers).toMatchObject({
      authorization: 'Bearer abc',
      'impersonate-user': 'joe',
      'impersonate-uid': '7',
      'impersonate-group': 'dev, ops',
      'impersonate-extra-example.com%2fscope': 'a, b',
    });
  });

  test('no wish for gzip with disable-compression', async () => {
    expect((await sent({ cluster: { 'disable-compression': true } })).headers).not.toHaveProperty('accept-encoding');
  });

  test('what a plugin beside the kubeconfig answers, which was told of the cluster', async () => {
    const answer = JSON.stringify({ apiVersion: EXEC, kind: 'ExecCredential', status: { token: 'from-plugin' } });
    const plugin = `#!/bin/sh\necho "$KUBERNETES_EXEC_INFO" > "$(dirname "$0")/info"\necho '${answer}'\n`;
    const extension = { audience: 'x', empty: null };
    await using server = await serveHttps({ cert: loopback.certificate, key: loopback.key }, (request, response) => {
      response.writeHead(request.headers.authorization === 'Bearer from-plugin' ? 200 : 401).end();
    });
    await using it = await withContext({
      cluster: {
        server: server.url.href,
        ...ca,
        extensions: [{ name: 'client.authentication.k8s.io/exec', extension }],
      },
      user: {
        exec: { apiVersion: EXEC, command: './bin/plugin', provideClusterInfo: true, interactiveMode: 'IfAvailable' },
      },
    });
    await mkdir(join(it.path, 'bin'));
    await writeFile(join(it.path, 'bin/plugin'), plugin);
    await chmod(join(it.path, 'bin/plugin'), 0o755);
    const api = (await it.source.discover()).candidates[1]?.connect();
    expect((await api?.request({ path: '/' }))?.status).toBe(200);
    await api?.close();
    expect(JSON.parse(await readFile(join(it.path, 'bin/info'), 'utf8'))).toEqual({
      apiVersion: EXEC,
      kind: 'ExecCredential',
      spec: {
        cluster: { server: server.url.href.replace(/\/$/, ''), ...ca, config: extension },
        interactive: false,
      },
    });
  });

  test('one plugin process serves all contexts of a user, and later discoveries', async () => {
    const answer = JSON.stringify({ apiVersion: EXEC, kind: 'ExecCredential', status: { token: 'abc' } });
    await using server = await serveHttps({ cert: loopback.certificate, key: loopback.key }, (_, response) =>
      response.end(),
    );
    await using it = await withContext({
      cluster: { server: server.url.href, ...ca },
      user: {
        exec: {
          apiVersion: EXEC,
          command: '/bin/sh',
          args: ['-c', `echo run >> "$RUNS"; echo '${answer}'`],
          env: [{ name: 'RUNS', value: '/dev/null' }],
        },
      },
    });
    const runs = join(it.path, 'runs');
    const text = (await readFile(it.file, 'utf8')).replace('/dev/null', runs);
    await writeFile(
      it.file,
      text.replace('contexts:', 'contexts:\n  - name: again\n    context: {cluster: odd, user: odd}'),
    );
    for (let round = 0; round < 2; round++) {
      const { candidates } = await it.source.discover();
      await Promise.all(candidates.filter(({ name }) => name !== 'good').map(request));
    }
    expect(await readFile(runs, 'utf8')).toBe('run\n');
  });
});

describe('the in-cluster source', () => {
  const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };

  async function pod(files: Record<string, string>) {
    const folder = await scratchFolder();
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
    return folder;
  }

  test('gives one candidate in a pod, the default, in the namespace of the pod', async () => {
    await using folder = await pod({ token: 'abc', namespace: 'team-a\n', 'ca.crt': authority.certificate });
    const { candidates, problems } = await inClusterSource({ env, folder: folder.path }).discover();
    expect(problems).toEqual([]);
    expect(candidates).toMatchObject([
      { name: 'in-cluster', source: 'in-cluster', server: 'https://10.0.0.1', namespace: 'team-a', isDefault: true },
    ]);
  });

  test('puts IPv6 addresses in brackets', async () => {
    await using folder = await pod({ token: 'abc', 'ca.crt': authority.certificate });
    const { candidates } = await inClusterSource({
      env: { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' },
      folder: folder.path,
    }).discover();
    expect(candidates).toMatchObject([{ server: 'https://[fd00::1]:6443', namespace: 'default' }]);
  });

  test('gives nothing outside of a pod, and in a pod without a service account', async () => {
    await using folder = await pod({});
    expect(await inClusterSource({ env: {}, folder: folder.path }).discover()).toEqual({
      candidates: [],
      problems: [],
    });
    expect(await inClusterSource({ env, folder: folder.path }).discover()).toEqual({ candidates: [], problems: [] });
  });

  test('follows the token as it rotates', async () => {
    const loopback = authority.issue({ commonName: 'server', names: ['127.0.0.1'] });
    await using folder = await pod({ token: 'one\n', 'ca.crt': authority.certificate });
    const seen: (string | undefined)[] = [];
    await using server = await serveHttps({ cert: loopback.certificate, key: loopback.key }, (request, response) => {
      seen.push(request.headers.authorization);
      response.end();
    });
    let now = 0;
    const source = inClusterSource({
      env: { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(server.port) },
      folder: folder.path,
      now: () => now,
    });
    const api = (await source.discover()).candidates[0]?.connect();
    await api?.request({ path: '/' });
    await writeFile(join(folder.path, 'token'), 'two\n');
    await api?.request({ path: '/' });
    now += 10_000;
    await api?.request({ path: '/' });
    await api?.close();
    expect(seen).toEqual(['Bearer one', 'Bearer one', 'Bearer two']);
  });
});

describe('the default sources', () => {
  const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };

  async function found(kubeconfig: string | undefined, extra: Record<string, string> = {}) {
    await using folder = await scratchFolder();
    await mkdir(join(folder.path, '.kube'));
    await writeFile(join(folder.path, 'token'), 'abc');
    if (kubeconfig !== undefined) await writeFile(join(folder.path, '.kube/config'), kubeconfig);
    const sources = defaultSources({ env: { ...env, ...extra }, home: folder.path, folder: folder.path });
    const results = await Promise.all(sources.map((source) => source.discover()));
    return {
      names: results.flatMap(({ candidates }) => candidates.map(({ name }) => name)),
      problems: results.flatMap(({ problems }) => problems.map(({ message }) => message)),
    };
  }

  test('are all contexts of the kubeconfig', async () => {
    const text = stringify({
      clusters: [{ name: 'c', cluster: { server: 'https://x' } }],
      contexts: ['a', 'b'].map((name) => ({ name, context: { cluster: 'c' } })),
    });
    expect(await found(text)).toEqual({ names: ['a', 'b'], problems: [] });
  });

  test('are the own cluster where there is no kubeconfig', async () => {
    expect(await found(undefined)).toEqual({ names: ['in-cluster'], problems: [] });
  });

  test('are not the own cluster where the kubeconfig is broken', async () => {
    expect(await found('- nonsense')).toEqual({ names: [], problems: [expect.stringContaining('expected a mapping')] });
  });

  test('are the own cluster, with a problem, where KUBECONFIG names no file that exists', async () => {
    const { names, problems } = await found(undefined, { KUBECONFIG: '/no/such/file' });
    expect(names).toEqual(['in-cluster']);
    expect(problems).toEqual([expect.stringContaining('/no/such/file')]);
  });
});

import { execFile, execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { loadKubeconfig } from '../../../lib/adapters/kubernetes/kubeconfig-load.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

async function folderWith(files: Record<string, unknown>) {
  const folder = await scratchFolder();
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder.path, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === 'string' ? content : stringify(content));
  }
  return {
    path: (name: string) => join(folder.path, name),
    load: (...names: string[]) =>
      loadKubeconfig({
        env: { KUBECONFIG: names.map((name) => (name === '' ? '' : join(folder.path, name))).join(':') },
        home: folder.path,
      }),
    home: folder.path,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

const cluster = (name: string, content: object) => ({ name, cluster: content });
const user = (name: string, content: object) => ({ name, user: content });
const context = (name: string, content: object) => ({ name, context: content });

describe('merging kubeconfig files', () => {
  test('the first file that has an entry of a name decides it as a whole, also the current context', async () => {
    await using folder = await folderWith({
      'a.yaml': {
        clusters: [cluster('c', { server: 'https://a' })],
        contexts: [context('x', { cluster: 'c', user: 'u' })],
      },
      'b.yaml': {
        clusters: [
          cluster('c', { server: 'https://b', 'tls-server-name': 'b' }),
          cluster('d', { server: 'https://d' }),
        ],
        users: [user('u', { token: 't' })],
        'current-context': 'x',
      },
      'c.yaml': { 'current-context': 'y', users: [user('u', { token: 'other' })] },
    });
    const { document, origins, files, problems } = await folder.load('a.yaml', 'b.yaml', 'c.yaml');
    expect(document).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [cluster('c', { server: 'https://a' }), cluster('d', { server: 'https://d' })],
      users: [user('u', { token: 't' })],
      contexts: [context('x', { cluster: 'c', user: 'u' })],
      'current-context': 'x',
    });
    expect([...origins.clusters]).toEqual([
      ['c', folder.path('a.yaml')],
      ['d', folder.path('b.yaml')],
    ]);
    expect(files).toHaveLength(3);
    expect(problems).toEqual([]);
  });

  test('empty and missing entries of KUBECONFIG are passed over, unless nothing is left', async () => {
    await using folder = await folderWith({ 'a.yaml': { 'current-context': 'x' } });
    expect(await folder.load('', 'none.yaml', 'a.yaml', '')).toMatchObject({
      files: [folder.path('a.yaml')],
      problems: [],
    });
    const { files, problems } = await folder.load('none.yaml');
    expect(files).toEqual([]);
    expect(problems).toEqual([expect.stringContaining(folder.path('none.yaml'))]);
  });

  test('without KUBECONFIG it is the file in the home folder, and none is no problem', async () => {
    await using folder = await folderWith({ '.kube/config': { 'current-context': 'home' } });
    expect((await loadKubeconfig({ env: {}, home: folder.home })).document['current-context']).toBe('home');
    expect(await loadKubeconfig({ env: {}, home: folder.path('elsewhere') })).toMatchObject({
      files: [],
      problems: [],
    });
  });

  test('a path that is given counts before KUBECONFIG, and must exist', async () => {
    await using folder = await folderWith({
      'a.yaml': { 'current-context': 'a' },
      'b.yaml': { 'current-context': 'b' },
    });
    const env = { KUBECONFIG: folder.path('b.yaml') };
    const given = await loadKubeconfig({ env, home: folder.home, path: folder.path('a.yaml') });
    expect(given.document['current-context']).toBe('a');
    const { problems } = await loadKubeconfig({ env, home: folder.home, path: folder.path('none') });
    expect(problems).toEqual([expect.stringContaining(folder.path('none'))]);
  });

  test('relative paths are relative to their file; a plugin without a slash stays a name', async () => {
    await using folder = await folderWith({
      'sub/a.yaml': {
        clusters: [cluster('c', { 'certificate-authority': 'ca.pem' })],
        users: [
          user('u', {
            'client-certificate': '../c.pem',
            'client-key': '/abs/k.pem',
            tokenFile: 'tok',
            exec: { command: './bin/plugin' },
          }),
          user('v', { exec: { command: 'plugin' } }),
        ],
      },
    });
    const { document } = await folder.load('sub/a.yaml');
    expect(document.clusters[0]?.cluster['certificate-authority']).toBe(folder.path('sub/ca.pem'));
    expect(document.users.map((entry) => entry.user)).toEqual([
      {
        'client-certificate': folder.path('c.pem'),
        'client-key': '/abs/k.pem',
        tokenFile: folder.path('sub/tok'),
        exec: { command: folder.path('sub/bin/plugin') },
      },
      { exec: { command: 'plugin' } },
    ]);
  });

  test('null and empty values are absent, as in the files that kubectl writes', async () => {
    await using folder = await folderWith({
      'a.yaml':
        'clusters: null\nusers:\ncontexts:\n- name: x\n  context: {cluster: c, user: "", namespace: null}\ncurrent-context: ""\n',
      'empty.yaml': '',
    });
    const { document, problems } = await folder.load('empty.yaml', 'a.yaml');
    expect(document.contexts).toEqual([context('x', { cluster: 'c' })]);
    expect(problems).toEqual([]);
  });

  test('extensions stay as they are', async () => {
    const extensions = [{ name: 'client.authentication.k8s.io/exec', extension: { a: null, b: '', c: [1, true] } }];
    await using folder = await folderWith({ 'a.yaml': { clusters: [cluster('c', { extensions })] } });
    expect((await folder.load('a.yaml')).document.clusters[0]?.cluster.extensions).toEqual(extensions);
  });
});

describe('a kubeconfig file with mistakes', () => {
  test('that does not parse is named with line and column, and the other files count', async () => {
    await using folder = await folderWith({
      'bad.yaml': 'clusters:\n- name: c\n  cluster: {server: "https://x\n',
      'good.yaml': { 'current-context': 'x' },
    });
    const { document, problems } = await folder.load('bad.yaml', 'good.yaml');
    expect(problems).toEqual([
      expect.stringMatching(new RegExp(`^Kubeconfig ${folder.path('bad.yaml')}, line \\d+, column \\d+: `)),
    ]);
    expect(document['current-context']).toBe('x');
  });

  test.each([
    'users:\n- name: u\n  user: {password: *h4ckme}\n',
    'users:\n- name: u\n  user: {token: &x @h4ckme}\n',
    '{users: []}\nh4ckme\n',
    '"users": []\n  "h4ckme": 1\n',
    'a: *h4ckme\n',
    'users:\n- name: u\n  user:\n    password: |h4ckme\n',
    'users:\n- name: u\n  user: {password: !h4ckme! }\n',
    'users:\n- name: u\n  user: {password: !h4ck!me x}\n',
    '? x\n: ]h4ckme\n',
  ])('promise 9: that does not parse is named without a word of it: %j', async (text) => {
    await using folder = await folderWith({ 'bad.yaml': text });
    const { problems } = await folder.load('bad.yaml');
    expect(problems).toEqual([expect.stringContaining(folder.path('bad.yaml'))]);
    expect(problems.join()).not.toContain('h4ckme');
  });

  test.each([
    ['a text', 'just text\n', /line 1: expected a mapping/],
    ['a list', '- a\n', /line 1: expected a mapping/],
    ['clusters that are no list', 'kind: Config\nclusters: {a: b}\n', /line 2: clusters should be a list/],
    ['an entry without a name', 'clusters:\n- cluster: {}\n', /line 2: entry 1 of clusters has no name/],
    [
      'a current-context that is no text',
      'kind: Config\ncurrent-context: [x]\n',
      /line 2: current-context should be a text/,
    ],
    [
      'a value of another kind',
      'users:\n- name: u\n  user:\n    token: 123\n',
      /line 4: user "u" is left out: user.token should be string/,
    ],
    [
      'a mode that does not exist',
      'users:\n- name: u\n  user:\n    exec:\n      interactiveMode: Maybe\n',
      /line 5: user "u" is left out: user.exec.interactiveMode/,
    ],
    [
      'two entries of a name',
      'clusters:\n- name: c\n- name: c\n',
      /line 3: there is a second cluster "c"; the first is used/,
    ],
  ])('%s: line and field are named', async (_, text, expected) => {
    await using folder = await folderWith({ 'a.yaml': text });
    const { problems } = await folder.load('a.yaml');
    expect(problems).toEqual([expect.stringMatching(expected)]);
    expect(problems[0]).toContain(folder.path('a.yaml'));
  });

  test('promise 9: a value in the wrong place is not quoted', async () => {
    await using folder = await folderWith({
      'a.yaml': 'users:\n- name: u\n  user: {token: [s3cret]}\n',
      'b.yaml': 'users: "s3cret\n',
    });
    const { problems } = await folder.load('a.yaml', 'b.yaml');
    expect(problems).toHaveLength(2);
    expect(problems.join()).not.toContain('s3cret');
  });

  test('a folder in the place of a file is a problem', async () => {
    await using folder = await folderWith({ 'sub/x': '' });
    expect((await folder.load('sub')).problems).toEqual([expect.stringContaining('Cannot read kubeconfig')]);
  });
});

// What kubectl itself makes of the same files.
const kubectl = hasKubectl();

describe.skipIf(!kubectl)('merging agrees with kubectl config view (where kubectl is installed)', () => {
  const full = {
    clusters: [
      cluster('c1', { server: 'https://1', 'certificate-authority': 'ca.pem' }),
      cluster('c2', { server: 'https://2', 'insecure-skip-tls-verify': true }),
    ],
    users: [
      user('u1', { 'client-certificate': 'sub/cert.pem', 'client-key': 'key.pem' }),
      user('u2', { token: 't2', as: 'jane', 'as-groups': ['g'] }),
    ],
    contexts: [
      context('one', { cluster: 'c1', user: 'u1', namespace: 'ns1' }),
      context('two', { cluster: 'c2', user: 'u2' }),
    ],
  };
  const second = {
    clusters: [
      cluster('c1', { server: 'https://other', 'proxy-url': 'http://p' }),
      cluster('c3', { server: 'https://3', 'tls-server-name': 'server3', 'certificate-authority': 'ca3.pem' }),
    ],
    users: [
      user('u1', { token: 'other' }),
      user('u3', {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: 'plug',
          args: ['a'],
          env: [{ name: 'A', value: 'b' }],
          interactiveMode: 'Never',
        },
      }),
    ],
    contexts: [
      context('two', { cluster: 'c3', user: 'u3' }),
      context('three', { cluster: 'c3', user: 'u3', namespace: 'ns3' }),
    ],
    'current-context': 'three',
  };
  const third = { 'current-context': 'one', contexts: [context('one', { cluster: 'c3', user: 'u2' })] };

  test.each([
    ['one file', ['full.yaml']],
    ['two files', ['full.yaml', 'x/second.yaml']],
    ['two files the other way round', ['x/second.yaml', 'full.yaml']],
    ['three files, a missing one and an empty entry', ['third.yaml', '', 'none.yaml', 'x/second.yaml', 'full.yaml']],
    ['the same file twice', ['third.yaml', 'full.yaml', 'third.yaml']],
  ])('%s', async (_, names) => {
    await using folder = await folderWith({
      'full.yaml': full,
      'x/second.yaml': second,
      'third.yaml': third,
      'ca.pem': 'CA 1',
      'x/ca3.pem': 'CA 3',
      'key.pem': 'KEY',
      'sub/cert.pem': 'CERT',
    });
    const KUBECONFIG = names.map((name) => (name === '' ? '' : folder.path(name))).join(':');
    const { stdout } = await promisify(execFile)('kubectl', ['config', 'view', '--raw', '--flatten', '-o', 'json'], {
      env: { ...process.env, KUBECONFIG },
    });
    const { document, problems } = await loadKubeconfig({ env: { KUBECONFIG }, home: folder.home });
    expect(problems).toEqual([]);
    expect(comparable(await flattened(document))).toEqual(comparable(JSON.parse(stdout) as typeof document));
  });
});

type Document = Awaited<ReturnType<typeof loadKubeconfig>>['document'];

/** With files embedded, as --flatten does: shows that their paths were understood alike. */
async function flattened(document: Document): Promise<Document> {
  const embed = async <T extends Record<string, unknown>>(entry: T): Promise<T> => {
    const result: Record<string, unknown> = { ...entry };
    for (const field of ['certificate-authority', 'client-certificate', 'client-key']) {
      const path = result[field];
      if (typeof path !== 'string') continue;
      delete result[field];
      result[`${field}-data`] = (await readFile(path)).toString('base64');
    }
    return result as T;
  };
  return {
    ...document,
    clusters: await Promise.all(
      document.clusters.map(async ({ name, cluster }) => ({ name, cluster: await embed(cluster) })),
    ),
    users: await Promise.all(document.users.map(async ({ name, user }) => ({ name, user: await embed(user) }))),
  };
}

// kubectl sorts by name and writes defaults out.
function comparable(document: Document) {
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  return {
    current: document['current-context'],
    clusters: document.clusters.toSorted(byName),
    contexts: document.contexts.toSorted(byName),
    users: document.users.toSorted(byName).map(({ name, user: { exec, ...rest } }) => ({
      name,
      ...rest,
      exec: exec && { provideClusterInfo: false, ...exec },
    })),
  };
}

function hasKubectl(): boolean {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

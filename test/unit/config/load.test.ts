import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ConfigInput, loadConfig } from '../../../lib/config/load.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'mk8s-config-'));
});
afterEach(async () => {
  await rm(cwd, { recursive: true });
});

async function complaint(input: ConfigInput): Promise<string> {
  const error = await loadConfig({ cwd, ...input }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Mk8sError);
  expect((error as Mk8sError).code).toBe('config');
  return (error as Mk8sError).message;
}

async function file(text: string, name = 'mk8s.yaml'): Promise<string> {
  await writeFile(join(cwd, name), text);
  return join(cwd, name);
}

describe('where values come from', () => {
  test('without anything, every option has its default', async () => {
    const { config, warnings, file: read } = await loadConfig({ cwd });
    expect(config).toMatchObject({
      source: ['auto'],
      resources: [],
      data: join(cwd, '.mk8s'),
      mode: 'follow',
      memory: 64 * 1024 * 1024,
      shard: { index: 0, count: 1 },
      retention: {},
      sandbox: { clusters: 3, objects: 200, rate: 5 },
    });
    expect(config.deadline).toBeUndefined();
    expect(warnings).toEqual([]);
    expect(read).toBeUndefined();
  });

  test('a flag wins over the environment, the environment over the file, the file over the default', async () => {
    await file('mode: catch-up\nlogLevel: error\nview: none\n');
    const env = { MK8S_LOG_LEVEL: 'debug', MK8S_VIEW: 'log' };
    const { config } = await loadConfig({ cwd, env, flags: { view: 'table' } });
    expect([config.view, config.logLevel, config.mode, config.fallbackSandbox]).toEqual([
      'table',
      'debug',
      'catch-up',
      false,
    ]);
  });

  test('mk8s.yaml in the current folder is read unless --config or MK8S_CONFIG names another', async () => {
    await file('mode: catch-up\n');
    const other = await file('logLevel: error\n', 'other.yaml');
    expect((await loadConfig({ cwd })).config.mode).toBe('catch-up');
    expect((await loadConfig({ cwd, file: 'other.yaml' })).config.mode).toBe('follow');
    const named = await loadConfig({ cwd, env: { MK8S_CONFIG: other } });
    expect([named.config.logLevel, named.file]).toEqual(['error', other]);
  });

  test('everything that YAML can say, text can say', async () => {
    await file(
      [
        'source: [kubeconfig, in-cluster]',
        'kubeconfig: [a.yaml, ~/b.yaml]',
        'contexts: [prod-*]',
        "resources: ['*.istio.io', secrets]",
        'excludeResources: events.events.k8s.io',
        'namespaces: [a, b]',
        'labelSelector: app in (x, y)',
        "sinks: ['stdout:', 'https://example.com/hook']",
        'deadline: 1h30m',
        'retention: {age: 7d, revisions: 10}',
        'redact: [{resources: [certificates.cert-manager.io], fields: [spec.secretName, spec.keystores]}]',
        'ignoreNoop: true',
        'shard: {index: 1, count: 3}',
        'memory: 1GiB',
        'sandbox: {rate: 0.5}',
      ].join('\n'),
    );
    const fromFile = (await loadConfig({ cwd, env: { HOME: '/home/x' } })).config;
    const env = {
      HOME: '/home/x',
      MK8S_CONFIG: await file('', 'empty.yaml'),
      MK8S_SOURCE: 'kubeconfig, in-cluster',
      MK8S_KUBECONFIG: 'a.yaml:~/b.yaml',
      MK8S_CONTEXTS: 'prod-*',
      MK8S_RESOURCES: '*.istio.io,secrets',
      MK8S_EXCLUDE_RESOURCES: 'events.events.k8s.io',
      MK8S_NAMESPACES: 'a,b',
      MK8S_LABEL_SELECTOR: 'app in (x, y)',
      MK8S_SINKS: 'stdout: https://example.com/hook',
      MK8S_DEADLINE: '1h30m',
      MK8S_RETENTION_AGE: '7d',
      MK8S_RETENTION_REVISIONS: '10',
      MK8S_REDACT: 'certificates.cert-manager.io:spec.secretName,spec.keystores',
      MK8S_IGNORE_NOOP: 'true',
      MK8S_SHARD_INDEX: '1',
      MK8S_SHARD_COUNT: '3',
      MK8S_MEMORY: '1Gi',
      MK8S_SANDBOX_RATE: '0.5',
    };
    const fromEnvironment = (await loadConfig({ cwd, env })).config;
    expect(fromEnvironment).toEqual(fromFile);
    expect(fromFile.deadline).toBe(5_400_000);
    expect(fromFile.retention).toEqual({ age: 604_800_000, revisions: 10 });
    expect(fromFile.kubeconfig).toEqual([join(cwd, 'a.yaml'), '/home/x/b.yaml']);
    expect(fromFile.redact).toEqual([
      { resources: ['certificates.cert-manager.io'], fields: ['spec.secretName', 'spec.keystores'] },
    ]);
  });

  test('a repeated flag adds to a list, and each may hold several', async () => {
    const flags = { resources: ['a.example.com,b.example.com', '*.istio.io'], sinks: ['stdout:', 'https://x/y,z'] };
    const { config } = await loadConfig({ cwd, flags });
    expect(config.resources).toEqual(['a.example.com', 'b.example.com', '*.istio.io']);
    expect(config.sinks).toEqual(['stdout:', 'https://x/y,z']);
  });

  test('relative paths in a file start where the file is', async () => {
    const path = await file('data: feed\n', 'elsewhere.yaml');
    const { config } = await loadConfig({ cwd: '/', file: path });
    expect(config.data).toBe(join(cwd, 'feed'));
  });

  test('none takes back what the file set', async () => {
    await file('deadline: 5m\nretention: {age: 1d, revisions: 3}\n');
    const flags = { deadline: 'none', 'retention.age': 'none', 'retention.revisions': 'none' };
    const { config } = await loadConfig({ cwd, flags });
    expect([config.deadline, config.retention.age, config.retention.revisions]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('the share of a Cloud Run task is taken from its own variables, unless MK8S_ ones are set', async () => {
    const env = { CLOUD_RUN_TASK_INDEX: '2', CLOUD_RUN_TASK_COUNT: '4' };
    expect((await loadConfig({ cwd, env })).config.shard).toEqual({ index: 2, count: 4 });
    expect((await loadConfig({ cwd, env: { ...env, MK8S_SHARD_INDEX: '0' } })).config.shard.index).toBe(0);
  });

  test('an empty variable and an empty key count as not set', async () => {
    await file('mode:\nretention:\nview: log\n');
    const { config } = await loadConfig({ cwd, env: { MK8S_VIEW: '' } });
    expect([config.mode, config.view]).toEqual(['follow', 'log']);
  });
});

describe('what a wrong file is told', () => {
  test.each([
    [
      'an unknown key, with the nearest one',
      'data: x\nresource: [secrets]\n',
      'mk8s.yaml:2: unknown key "resource"; did you mean "resources"?',
    ],
    [
      'an unknown key in a section',
      'retention:\n  ages: 5d\n',
      'mk8s.yaml:2: unknown key "retention.ages"; did you mean "retention.age"?',
    ],
    ['a wrong choice', '\n\nmode: folow\n', 'mk8s.yaml:3: mode must be one of follow, catch-up, not "folow"'],
    [
      'a number where a duration belongs',
      'deadline: 55\n',
      'mk8s.yaml:1: deadline must be a duration like 90s, 55m or 7d, or none, not 55',
    ],
    [
      'a value where a section belongs',
      'retention: 7d\n',
      'mk8s.yaml:1: retention must be a section with age, revisions, not "7d"',
    ],
    ['text where a boolean belongs', 'ignoreNoop: yes\n', 'mk8s.yaml:1: ignoreNoop must be true or false, not "yes"'],
    [
      'one bad item, at its own line',
      'resources:\n  - a.b\n  - A.b\n',
      'mk8s.yaml:3: resources must be a resource pattern like httproutes.gateway.networking.k8s.io, *.istio.io or secrets, not "A.b"',
    ],
    [
      'an unknown key deep in a rule',
      'redact:\n  - resources: [secrets]\n    fields: [data]\n    field: [x]\n',
      'mk8s.yaml:4: redact must be a rule with resources and fields and nothing else',
    ],
    [
      'a rule without fields',
      'redact:\n  - resources: [secrets]\n',
      'mk8s.yaml:2: redact must be a rule with resources and fields and nothing else',
    ],
    ['a small budget', 'memory: 1k\n', 'mk8s.yaml:1: memory must be a size like 64MiB, at least 1MiB, not '],
    ['a key that is there twice', 'mode: follow\nmode: catch-up\n', 'mk8s.yaml:2: Map keys must be unique'],
    ['broken YAML', 'mode: [follow\ndata: x\n', 'mk8s.yaml:2: '],
    ['a list at the top', '- a\n', 'mk8s.yaml:1: expected keys and values'],
    ['an unknown alias', 'data: *nothing\n', 'mk8s.yaml:1: '],
    [
      'a sink that is no URL',
      'sinks: [ftp://x]\n',
      'mk8s.yaml:1: sinks must be stdout:, pubsub://PROJECT/TOPIC, or an http or https URL, not "ftp://x"',
    ],
  ])('%s', async (_, text, expected) => {
    await file(text);
    expect(await complaint({})).toContain(expected);
  });

  test('all complaints come at once, each with its line', async () => {
    await file('mode: x\nview: y\n');
    const message = await complaint({});
    expect(message.split('\n')).toHaveLength(2);
    expect(message).toMatch(/mk8s\.yaml:1: mode.*\nmk8s\.yaml:2: view/);
  });

  test('a file that was asked for and is not there is named, with who asked', async () => {
    expect(await complaint({ file: 'no.yaml' })).toContain(`${join(cwd, 'no.yaml')} (from --config)`);
    expect(await complaint({ env: { MK8S_CONFIG: 'no.yaml' } })).toContain('(from MK8S_CONFIG)');
  });
});

describe('what wrong flags and variables are told', () => {
  test('a wrong variable is named', async () => {
    expect(await complaint({ env: { MK8S_DEADLINE: 'soon' } })).toBe(
      'MK8S_DEADLINE: must be a duration like 90s, 55m or 7d, or none, not "soon"',
    );
  });

  test("a platform's variable is named as the platform calls it", async () => {
    expect(await complaint({ env: { CLOUD_RUN_TASK_COUNT: '0' } })).toMatch(
      /^CLOUD_RUN_TASK_COUNT: must be a whole number from 1/,
    );
  });

  test('a wrong flag is named as the command calls it', async () => {
    const flags = { 'sandbox.clusters': 'many' };
    expect(await complaint({ command: 'sandbox', flags })).toMatch(
      /^--clusters: must be a whole number from 1, not "many"/,
    );
    expect(await complaint({ command: 'run', flags })).toMatch(/^--sandbox-clusters: /);
  });

  test('a redact rule without fields says how to write one', async () => {
    expect(await complaint({ flags: { redact: ['secrets'] } })).toContain(
      '--redact: must be a rule with resources and fields',
    );
  });

  test("a sink's password is not repeated", async () => {
    const message = await complaint({ env: { MK8S_SINKS: 'ftp://me:hunter2@example.com' } });
    expect(message).toContain('MK8S_SINKS');
    expect(message).not.toContain('hunter2');
  });

  test('a shard beyond the count is refused with both origins', async () => {
    const env = { CLOUD_RUN_TASK_COUNT: '3' };
    expect(await complaint({ env, flags: { 'shard.index': '3' } })).toBe(
      '--shard-index: the shard index 3 must be below the shard count 3 (CLOUD_RUN_TASK_COUNT); the first is 0',
    );
  });

  test('a misspelt variable is a warning; a strange one is nobody’s business', async () => {
    const { warnings } = await loadConfig({ cwd, env: { MK8S_RESOURCE: 'x', MK8S_RECORDINGS: '/x' } });
    expect(warnings).toEqual([
      'The environment variable MK8S_RESOURCE is no option and is ignored; did you mean MK8S_RESOURCES?',
    ]);
  });
});

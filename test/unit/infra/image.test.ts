// Dockerfile and cloudbuild.yaml: that the image is pinned, small and nobody's, and is tested before it is deployed.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const root = resolve(import.meta.dirname, '../../..');
const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const testedNode = (JSON.parse(read('tools/node24/package.json')) as { version: string }).version;

interface Instruction {
  readonly name: string;
  readonly args: string;
}

function instructionsOf(dockerfile: string): Instruction[] {
  const lines = dockerfile
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n');
  return lines.flatMap((line) => {
    const [, name, args] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? [];
    return name === undefined || args === undefined ? [] : [{ name, args }];
  });
}

const argsOf = (instructions: readonly Instruction[], name: string): string[] =>
  instructions.flatMap((each) => (each.name === name ? [each.args] : []));

/** Bases that can change under their name: no digest, and no full version. */
function unpinned(instructions: readonly Instruction[]): string[] {
  return argsOf(instructions, 'FROM')
    .map((args) => args.split(/\s/)[0] ?? '')
    .filter((image) => !/@sha256:[0-9a-f]{64}$/.test(image) && !/:\d+\.\d+\.\d+-[a-z-]+$/.test(image));
}

/** Whether the last stage ends as a user that Kubernetes, too, can see not to be root. */
function runsAsRoot(instructions: readonly Instruction[]): boolean {
  const last = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));
  return !/^[1-9]\d*(?::[1-9]\d*)?$/.test(argsOf(last, 'USER').at(-1) ?? 'root');
}

describe('the Dockerfile', () => {
  const dockerfile = instructionsOf(read('Dockerfile'));

  test('starts from images that cannot change', () => {
    expect(argsOf(dockerfile, 'FROM')).toHaveLength(3);
    expect(unpinned(dockerfile)).toEqual([]);
    expect(unpinned(instructionsOf('FROM node:24-slim\nFROM node\nFROM node:24.1.0-slim AS a'))).toEqual([
      'node:24-slim',
      'node',
    ]);
  });

  test('takes the Node that the tests run on', () => {
    for (const base of argsOf(dockerfile, 'FROM')) expect(base).toMatch(new RegExp(`^node:${testedNode}-`));
  });

  test('does not run as root', () => {
    expect(runsAsRoot(dockerfile)).toBe(false);
    for (const bad of ['', 'USER root', 'USER 0:0', 'USER node', 'USER 1000\nUSER 0', 'USER 1000\nFROM b']) {
      expect(runsAsRoot(instructionsOf(`FROM a\n${bad}\nCMD ["x"]`)), bad).toBe(true);
    }
  });

  test('installs what runs, from the lockfile: no development tools, no second Node', () => {
    const from = dockerfile.findIndex(({ name, args }) => name === 'FROM' && args.endsWith(' AS packages'));
    const to = dockerfile.findIndex(({ name }, index) => name === 'FROM' && index > from);
    const install = argsOf(dockerfile.slice(from, to), 'RUN').filter((command) => command.includes('npm '));
    expect(install).toHaveLength(1);
    expect(argsOf(dockerfile, 'COPY').filter((args) => /--from=\S+ \S*node_modules /.test(args))).toEqual([
      '--from=packages /mk8s/node_modules node_modules',
    ]);
    for (const flag of ['npm ci', '--omit=dev', '--omit=optional', '--workspaces=false', '--ignore-scripts']) {
      expect(install[0]).toContain(flag);
    }
    const { dependencies, workspaces, ...rest } = JSON.parse(read('package.json')) as Record<string, object>;
    expect(Object.keys(dependencies ?? {}).length).toBeGreaterThan(5);
    expect(workspaces).toEqual(['tools/node24']);
    // Where one comes, the image would lack it.
    expect(rest).not.toHaveProperty('optionalDependencies');
  });

  test('has the functions bundled, where Terraform and the build start them', () => {
    expect(argsOf(dockerfile, 'COPY')).toContain('--from=bundled /mk8s/dist dist');
    const starts = [read('infra/functions.tf'), read('cloudbuild.yaml')];
    for (const text of starts) {
      const [, framework = ''] = /"?(node_modules\/@google-cloud\/functions-framework\/\S+\.js)/.exec(text) ?? [];
      expect(existsSync(join(root, framework)), framework).toBe(true);
      expect(text).toMatch(/--source=dist\/bundle\/\$\$?\{?(?:each\.key|function)\}?\.mjs/);
    }
    for (const name of ['clusters', 'tokens'])
      expect(read(`lib/entries/${name}.ts`)).toContain(`export const ${name} =`);
  });

  test('copies what .dockerignore lets through, and nothing else is let through', () => {
    const copied = argsOf(dockerfile, 'COPY')
      .filter((args) => !args.startsWith('--from'))
      .flatMap((args) => args.split(/\s+/).slice(0, -1));
    const allowed = read('.dockerignore')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
    expect(read('.dockerignore')).toMatch(/^\*$/m);
    expect(new Set(copied)).toEqual(new Set(allowed));
  });
});

interface Build {
  readonly substitutions: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly steps: readonly { readonly id: string; readonly name: string; readonly waitFor?: readonly string[] }[];
}

describe('cloudbuild.yaml', () => {
  const text = read('cloudbuild.yaml');
  const build = parse(text) as Build;

  /** All that has to have passed before a step. */
  function before(id: string): string[] {
    const step = build.steps.find((each) => each.id === id);
    return (step?.waitFor ?? []).filter((each) => each !== '-').flatMap((each) => [each, ...before(each)]);
  }

  test('deploys what was tested, tried and pushed, and pushes nothing else', () => {
    expect(before('push')).toEqual(expect.arrayContaining(['test', 'validate', 'build', 'try', 'try-functions']));
    expect(before('deploy')).toContain('push');
    expect(before('deploy-functions')).toContain('push');
  });

  test('waits for steps that exist', () => {
    const ids = build.steps.map(({ id }) => id);
    const awaited = build.steps.flatMap(({ waitFor = [] }) => waitFor).filter((id) => id !== '-');
    expect(awaited.filter((id) => !ids.includes(id))).toEqual([]);
  });

  test('tests on the Node of the image', () => {
    expect(build.steps.find(({ id }) => id === 'test')?.name).toBe(`node:${testedNode}-bookworm`);
  });

  test('uses substitutions that it defines, or that Cloud Build has for every build', () => {
    const used = new Set(Array.from(text.matchAll(/\$\{(\w+)\}/g), ([, name = '']) => name));
    const own = Object.keys(build.substitutions);
    expect([...used].filter((name) => name.startsWith('_') && !own.includes(name))).toEqual([]);
    expect([...used].filter((name) => !name.startsWith('_')).sort()).toEqual(['BUILD_ID', 'PROJECT_ID']);
    expect(own.filter((name) => !used.has(name))).toEqual([]);
  });

  test('agrees with Terraform on names', () => {
    const terraform = ['build.tf', 'outputs.tf', 'job.tf'].map((name) => read(`infra/${name}`)).join('');
    expect(build.serviceAccount).toContain('/${_NAME}-builder@');
    expect(terraform).toContain('account_id   = "${var.name}-builder"');
    expect(build.substitutions['_IMAGE']).toBe('${_REGION}-docker.pkg.dev/${PROJECT_ID}/${_NAME}/${_NAME}');
    expect(terraform).toMatch(/repository_id = var\.name\n/);
    expect(terraform).toContain('_NAME=${var.name},_REGION=${var.region},_FUNCTIONS=');
    expect(read('infra/functions.tf')).toContain('name     = "${var.name}-${each.key}"');
    expect(text).toContain('gcloud run services update "${_NAME}-$$function"');
  });
});

test('the npm package has none of this', () => {
  const { files } = JSON.parse(read('package.json')) as { files: string[] };
  expect(files).toEqual(['bin', 'dist', 'LICENSE', 'README.md']);
});

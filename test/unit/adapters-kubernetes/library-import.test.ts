// `import 'mk8s'` is part of every start of everything that uses it: it must not load what takes a second.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { kubeconfigText } from '../../support/kubeconfig-file.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const run = promisify(execFile);
const index = join(import.meta.dirname, '../../../lib/index.ts');

/** Prints the packages that a program loads. */
function program(statements: string): string {
  return `
    import { registerHooks } from 'node:module';
    const packages = new Set();
    registerHooks({
      load(url, context, next) {
        const found = /node_modules\\/((@[^/]+\\/)?[^/]+)/.exec(url);
        if (found) packages.add(found[1]);
        return next(url, context);
      },
    });
    const { loadClusters } = await import(${JSON.stringify(index)});
    ${statements}
    console.log(JSON.stringify([...packages]));
  `;
}

async function packagesOf(statements: string): Promise<string[]> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program(statements)], { env: {} });
  return JSON.parse(stdout) as string[];
}

test('importing the library and loading clusters loads neither client-node nor what the command line needs', async () => {
  const packages = await packagesOf(`
    const fleet = await loadClusters({ kubeconfig: '/nowhere' });
    await fleet.close();
  `);
  expect(packages.toSorted()).toEqual(['valibot', 'yaml']);
});

test('neither the library nor the run loads undici, which an import of node:http would', async () => {
  const parts = ['index.ts', 'compose/run.ts', 'adapters/http/webhook-sink.ts'];
  const imports = parts.map(
    (part) => `await import(${JSON.stringify(join(import.meta.dirname, '../../../lib', part))});`,
  );
  const loaded = async (statements: string): Promise<boolean> => {
    const text = `${statements}console.log(process.moduleLoadList.some((name) => name.includes('undici')));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', text], { env: {} });
    return JSON.parse(stdout) as boolean;
  };
  expect([await loaded(imports.join('')), await loaded(`await import('node:http');`)]).toEqual([false, true]);
});

test('the hook that says so sees client-node where it is loaded', async () => {
  expect(await packagesOf(`await import('@kubernetes/client-node');`)).toContain('@kubernetes/client-node');
});

test('where client-node is not installed, what needs it says so and the rest works', async () => {
  await using folder = await temporaryFolder();
  const kubeconfig = join(folder.path, 'config');
  await writeFile(kubeconfig, kubeconfigText({ a: { url: 'https://127.0.0.1:1', token: 'x', ca: '' } }));
  const text = `
    import { registerHooks } from 'node:module';
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier !== '@kubernetes/client-node') return next(specifier, context);
        throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
      },
    });
    const { loadClusters } = await import(${JSON.stringify(index)});
    const cluster = (await loadClusters({ kubeconfig: ${JSON.stringify(kubeconfig)} })).default;
    try { cluster.kubeConfig; } catch (error) { console.log(error.code, error.message); }
    try { cluster.makeApiClient(Object); } catch (error) { console.log(error.code, error.message); }
  `;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', text], { env: {} });
  const message =
    'config Cannot use cluster.kubeConfig or cluster.makeApiClient: @kubernetes/client-node, an optional peer dependency of mk8s, is not installed; run "npm install @kubernetes/client-node@2"';
  expect(stdout.trim().split('\n')).toEqual([message, message]);
});

// A function for @google-cloud/functions-framework: configuration from the environment, log lines on stdout, and an orderly end.
import { type FrameworkFunction, frameworkFunction } from '../adapters/server/framework.ts';
import { loadConfig } from '../config/load.ts';
import { Mk8sError } from '../model/errors.ts';
import { openFunction } from './functions.ts';

/** Throws Mk8sError `config` where the environment or the policy is wrong: the service then does not start. */
export async function openForFramework(name: 'clusters' | 'tokens'): Promise<FrameworkFunction> {
  const { env } = process;
  const over = new AbortController();
  // Each line is written before `log` returns where stdout is a pipe or a file, as it is on every platform that runs functions.
  const log = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  const { config, warnings } = await loadConfig({ env });
  for (const message of warnings) log({ severity: 'WARNING', message });
  if (config.serve.as !== undefined) {
    throw new Mk8sError('MK8S_SERVE_AS is for `mk8s serve` on loopback: a function asks everyone who they are', {
      code: 'config',
    });
  }
  if (config.serve.url === undefined && config.serve.audience.length === 0) {
    throw new Mk8sError('MK8S_SERVE_URL must be the URL of this function: its callers’ tokens are for that audience', {
      code: 'config',
    });
  }
  const opened = await openFunction({
    name,
    config,
    context: { env, signal: over.signal, report: (entry) => log({ time: new Date().toISOString(), ...entry }) },
    inventory: name === 'clusters' ? 'kept' : 'live',
    url: config.serve.url ?? config.serve.audience[0] ?? '',
    log,
  });
  // An instance starts because somebody waits.
  opened.warm();
  // The framework closes its server at SIGTERM, after requests under way; it is then that nothing is needed any more.
  process.once('SIGTERM', () => opened.drain());
  process.once('exit', () => over.abort(new Error('the process ends')));
  return frameworkFunction(opened.handler, { proxies: config.serve.proxies });
}

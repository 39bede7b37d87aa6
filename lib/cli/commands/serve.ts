// `mk8s serve`: the HTTP functions on this machine, until it is stopped. Its log, audit lines among it, is on stdout.
import { once } from 'node:events';
import { exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';

export async function serve(invocation: Invocation): Promise<number> {
  const { config, engine, env, signal, stdout, now } = invocation;
  // Each line is handed over in order; when nobody reads, there is nobody to tell.
  const log = (line: object): void => void stdout.write(`${JSON.stringify(line)}\n`).catch(() => {});
  const time = (): string => new Date(now()).toISOString();
  const report = (entry: object): void => log({ time: time(), ...entry });
  const serving = await engine.startServing(config, { env, signal, report }, log);
  log({ severity: 'INFO', time: time(), message: `mk8s serves ${serving.url}`, url: serving.url });
  if (!signal.aborted) await once(signal, 'abort');
  await serving.stop();
  log({ severity: 'INFO', time: time(), message: 'mk8s has ended in order' });
  return exitCodes.ok;
}

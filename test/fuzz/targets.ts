// All targets, each loaded when it is asked for: in a thread of its own a target needs nothing of the others.
import type { FuzzTarget } from './target.ts';

const targets: Readonly<Record<string, () => Promise<FuzzTarget>>> = {
  'watch-body': async () => (await import('./targets/watch-body.ts')).watchBody,
  'list-body': async () => (await import('./targets/list-body.ts')).listBody,
  status: async () => (await import('./targets/status.ts')).status,
  discovery: async () => (await import('./targets/discovery.ts')).discovery,
  redaction: async () => (await import('./targets/redaction.ts')).redaction,
  kubeconfig: async () => (await import('./targets/kubeconfig.ts')).kubeconfig,
  'exec-answer': async () => (await import('./targets/exec-answer.ts')).execAnswer,
  'exec-process': async () => (await import('./targets/exec-process.ts')).execProcess,
  'http-answer': async () => (await import('./targets/http-answer.ts')).httpAnswer,
  'webhook-answer': async () => (await import('./targets/webhook-answer.ts')).webhookAnswer,
  'config-file': async () => (await import('./targets/config-file.ts')).configFile,
  words: async () => (await import('./targets/words.ts')).words,
  arguments: async () => (await import('./targets/arguments.ts')).commandLine,
  'data-folder': async () => (await import('./targets/data-folder.ts')).dataFolder,
};

/** In the order in which they run. */
export const targetNames: readonly string[] = Object.keys(targets);

/** Throws where there is none of this name. */
export async function targetNamed(name: string): Promise<FuzzTarget> {
  const load = targets[name];
  if (load === undefined) throw new Error(`There is no target "${name}"; there are: ${targetNames.join(', ')}`);
  return await load();
}

// `mk8s sandbox`: serves the sandbox fleet for other programs until it is stopped.
import { once } from 'node:events';
import { resolve } from 'node:path';
import { exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { removeKubeconfig, writeKubeconfig } from '../kubeconfig-file.ts';
import { counted } from '../text/numbers.ts';

export interface SandboxFlags {
  readonly kubeconfig: string;
  readonly force?: boolean;
}

export async function sandbox(flags: SandboxFlags, invocation: Invocation): Promise<number> {
  const { config, engine, cwd, signal, stdout } = invocation;
  const path = resolve(cwd, flags.kubeconfig);
  const fleet = await engine.startSandbox(config.sandbox);
  try {
    const text = fleet.kubeconfig();
    await writeKubeconfig(path, text, { force: flags.force ?? false });
    try {
      const contexts = await contextNames(text);
      await stdout.write(introduction(contexts, path, config.sandbox));
      if (!signal.aborted) await once(signal, 'abort');
    } finally {
      await removeKubeconfig(path, text);
    }
  } finally {
    await fleet.stop();
  }
  await stdout.write(`The sandbox has ended; ${flags.kubeconfig} was removed.\n`);
  return exitCodes.ok;
}

async function contextNames(kubeconfig: string): Promise<readonly string[]> {
  const { parse } = await import('yaml');
  const contexts = (parse(kubeconfig) as { contexts?: readonly { name: string }[] }).contexts ?? [];
  return contexts.map(({ name }) => name);
}

function introduction(
  contexts: readonly string[],
  path: string,
  { objects, rate }: { readonly objects: number; readonly rate: number },
): string {
  const second = contexts[1] ?? contexts[0] ?? '';
  return `${counted(contexts.length, 'cluster')}: ${contexts.join(', ')}; ${counted(objects, 'object')} and ${rate} changes a second in each.
The kubeconfig is ${path} (readable by you alone; it is removed at the end). In another terminal:

  export KUBECONFIG=${path}
  kubectl get crds
  kubectl get httproutes.gateway.networking.k8s.io -A --watch --context ${second}
  mk8s clusters
  mk8s run

Ctrl-C ends it.
`;
}

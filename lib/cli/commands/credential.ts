// `mk8s credential`: kubectl's credential plugin. It keeps nothing on disk: kubectl keeps the answer for as long as it runs, and a
// token that lies in a file outlives its purpose.
import { execCredential, readExecInfo } from '../exec-info.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';

export interface CredentialFlags {
  readonly cluster?: string;
  readonly namespace?: string;
  readonly serviceAccount?: string;
}

export async function credential(flags: CredentialFlags, invocation: Invocation): Promise<number> {
  const { config, engine, env, signal, stdout } = invocation;
  const { namespace, serviceAccount: name } = flags;
  const info = readExecInfo(env['KUBERNETES_EXEC_INFO']);
  const cluster = flags.cluster ?? info.cluster;
  const broker = await engine.openTokens(config, { env, signal, report: () => {} });
  try {
    const token = await broker.credential(
      {
        ...(cluster === undefined ? {} : { cluster }),
        ...(name === undefined ? {} : { serviceAccount: { name, ...(namespace === undefined ? {} : { namespace }) } }),
      },
      signal,
    );
    await stdout.write(execCredential(token, info.apiVersion));
    return exitCodes.ok;
  } finally {
    await broker.close();
  }
}

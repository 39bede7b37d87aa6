// `mk8s metadata`: serves Google's metadata protocol to programs on this machine until it is stopped.
import { once } from 'node:events';
import { exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { printable } from '../text/width.ts';

export interface MetadataFlags {
  readonly cluster?: string;
}

export async function metadata(flags: MetadataFlags, invocation: Invocation): Promise<number> {
  const { config, engine, env, signal, stdout, stderr } = invocation;
  const { logLines } = await import('../log-lines.ts');
  const report = logLines(2, config.logLevel);
  if (config.metadata.allowRemote) {
    const { address, port } = config.metadata;
    await stderr.write(
      `Warning: whoever reaches ${address}, port ${port}, is given tokens. Let a firewall or a network policy decide who does.\n`,
    );
  }
  const server = await engine.startMetadata(config, { env, signal, report }, flags.cluster);
  try {
    await stdout.write(introduction(server));
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await server.stop();
  }
  return exitCodes.ok;
}

function introduction({
  host,
  identity,
  project,
}: {
  host: string;
  identity: string;
  project: string | undefined;
}): string {
  const where = project === undefined ? '' : `, project ${printable(project)}`;
  return `Google's metadata protocol at http://${host}, as ${printable(identity)}${where}. In another terminal:

  export GCE_METADATA_HOST=${host}
  export GCE_METADATA_IP=${host}

Ctrl-C ends it.
`;
}

// `mk8s clusters`: what discovery finds, as kubectl would list it.
import type { ClusterInfo } from '../../model/cluster.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { columns } from '../text/columns.ts';
import { printable } from '../text/width.ts';

export interface ClustersFlags {
  readonly output: 'table' | 'json' | 'yaml' | 'name';
}

/** Exits with 0 where at least one cluster answered, else with 3. */
export async function clusters(flags: ClustersFlags, invocation: Invocation): Promise<number> {
  const { config, engine, env, signal, stdout, stderr } = invocation;
  const discovery = await engine.discoverClusters(config, { env, signal, report: () => {} });
  try {
    // Certificates are for kubeconfigs; in a list they hide the rest.
    const found = discovery.clusters.map(withoutCertificate);
    await stdout.write(await formatted(found, flags.output));
    for (const { message } of discovery.problems) await stderr.write(`Warning: ${printable(message)}\n`);
    for (const { name, error } of found) {
      if (error !== undefined) await stderr.write(`Warning: cluster "${printable(name)}": ${printable(error)}\n`);
    }
    if (found.length === 0) {
      // A problem has said already why.
      const why = discovery.problems.length > 0 ? '' : nothingNamed;
      await stderr.write(`No cluster was found${why}. Name files by --kubeconfig, or try --source sandbox.\n`);
    }
    return found.some(({ error }) => error === undefined) ? exitCodes.ok : exitCodes.noCluster;
  } finally {
    await discovery.close();
  }
}

function withoutCertificate(info: ClusterInfo): ClusterInfo {
  const shown: { certificateAuthority?: string; tlsServerName?: string } = { ...info };
  delete shown.certificateAuthority;
  delete shown.tlsServerName;
  return shown as ClusterInfo;
}

const nothingNamed = ': neither KUBECONFIG nor ~/.kube/config names one, and this is not a pod';

async function formatted(found: readonly ClusterInfo[], output: ClustersFlags['output']): Promise<string> {
  switch (output) {
    case 'name':
      return found.map(({ name }) => `${printable(name)}\n`).join('');
    case 'json':
      return `${JSON.stringify({ clusters: found }, undefined, 2)}\n`;
    case 'yaml':
      return (await import('yaml')).stringify({ clusters: found });
    case 'table':
    default:
      return found.length === 0 ? '' : columns(headings, found.map(row));
  }
}

const headings = ['DEFAULT', 'NAME', 'STATE', 'VERSION', 'SERVER', 'NAMESPACE', 'SOURCE', 'ID'];

function row(info: ClusterInfo): string[] {
  const { id, name, sources, server, namespace, isDefault, version, error } = info;
  const platform = info.unavailable === undefined ? undefined : info.state?.toLowerCase();
  const state = error === undefined ? 'ready' : (platform ?? 'error');
  return [isDefault ? '*' : '', name, state, version ?? '-', server, namespace, sources.join(','), id ?? '-'];
}

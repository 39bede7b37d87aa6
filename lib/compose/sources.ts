// Where clusters come from, as the configuration says.
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kubeconfigSource } from '../adapters/kubernetes/kubeconfig.ts';
import { lazily } from '../async/lazily.ts';
import type { Config } from '../config/options.ts';
import type { DefaultWish } from '../discover/default-cluster.ts';
import type { Problem } from '../model/cluster.ts';
import { glob } from '../model/glob.ts';
import type { ClusterSource } from '../ports/cluster-source.ts';
import { openClusterProfileSource } from './cluster-profile.ts';
import type { Context } from './context.ts';
import { gatewayKeeper } from './gateways.ts';
import { isGoogles, openGoogleSources } from './google-sources.ts';
import { openIstioSource } from './istio.ts';
import { kubeconfigLocation } from './kubeconfig-location.ts';
import { isLocal, localSources } from './local-sources.ts';
import type { SharedGoogle } from './shared-google.ts';

/** Sources are read again this often, milliseconds: clusters join and leave without a restart. */
export const REFRESH_MS = 30_000;

export interface OpenedSources {
  readonly sources: readonly ClusterSource[];
  readonly problems: readonly Problem[];
  readonly sandbox: boolean;
  /** Which cluster to take as the default where none is current. */
  readonly wish: DefaultWish;
  close(): Promise<void>;
}

/** The sources of a configuration; `close` ends the sandbox where it is one. `google` is asked for only where a source needs it. */
export async function openSources(config: Config, context: Context, google: SharedGoogle): Promise<OpenedSources> {
  const wanted = config.source;
  if (wanted.includes('sandbox')) return await sandboxSources(config);
  const location = kubeconfigLocation(config, context.env);
  const cloud = lazily(async () => openGoogleSources(config, context, await google.get()));
  const googles = wanted.some(isGoogles) ? await cloud.get() : undefined;
  const wish = { named: config.defaultCluster, region: config.region ?? googles?.region };
  const local = googles === undefined && !wanted.some(isLocal) ? ['auto'] : wanted;
  const keep = gatewayKeeper(config);
  const direct = [...localSources(local, location), ...(googles?.sources ?? [])].map(keep);
  const told = [
    ...(wanted.includes('istio') ? [openIstioSource(config, direct, wish, context)] : []),
    ...(wanted.includes('clusterprofile')
      ? [await openClusterProfileSource(config, direct, wish, context, cloud.get)]
      : []),
  ];
  async function close(): Promise<void> {
    await Promise.all(told.map((each) => each.close()));
    await (await cloud.opened())?.close();
  }
  const sources = [...direct, ...told.map(({ source }) => source)];
  const chosen = sources.map((source) => onlyContexts(keep(source), config.contexts));
  if (!config.fallbackSandbox) return { sources: chosen, problems: [], sandbox: false, wish, close };
  const found = await Promise.all(chosen.map((source) => source.discover(context.signal)));
  if (found.some(({ candidates }) => candidates.length > 0)) {
    return { sources: chosen, problems: [], sandbox: false, wish, close };
  }
  const problems = found.flatMap((answer) => answer.problems);
  for (const { source, message } of problems) context.report({ severity: 'WARNING', message: `${source}: ${message}` });
  const message = 'No cluster was found (no kubeconfig, not in a cluster): running the sandbox fleet instead';
  context.report({ severity: 'INFO', message });
  await close();
  return { ...(await sandboxSources(config)), problems };
}

/** The sandbox keeps its objects in the data folder, so that a second start finds the same clusters. */
async function sandboxSources(config: Config): Promise<OpenedSources> {
  const folder = join(config.data, 'sandbox');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { startFleet } = await import('../sandbox/fleet.ts');
  const fleet = await startFleet({ ...config.sandbox, folder });
  const file = join(folder, 'kubeconfig');
  await writeFile(file, fleet.kubeconfig(), { mode: 0o600 });
  await chmod(file, 0o600);
  const contexts = kubeconfigSource({ env: {}, home: folder, path: file });
  const source: ClusterSource = {
    name: 'sandbox',
    async discover(signal) {
      const { candidates, problems } = await contexts.discover(signal);
      return { candidates: candidates.map((candidate) => ({ ...candidate, source: 'sandbox' })), problems };
    },
  };
  return {
    sources: [onlyContexts(source, config.contexts)],
    problems: [],
    sandbox: true,
    wish: {},
    close: () => fleet.stop(),
  };
}

function onlyContexts(source: ClusterSource, globs: readonly string[]): ClusterSource {
  if (globs.length === 0) return source;
  const wanted = globs.map(glob);
  return {
    ...source,
    async discover(signal) {
      const { candidates, problems } = await source.discover(signal);
      return { candidates: candidates.filter(({ name }) => wanted.some((matches) => matches(name))), problems };
    },
  };
}

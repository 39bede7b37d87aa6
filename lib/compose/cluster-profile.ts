// The clusterprofile source, composed: it reads ClusterProfiles of clusters that other sources name. Google's tokens serve the
// provider `google`; for others the operator's provider file says what to run.
import { FRONT_DOOR, gatewayProject, isFrontDoor } from '../adapters/google/google-hosts.ts';
import { clusterProfileSource, type OwnProvider } from '../adapters/kubernetes/cluster-profile-source.ts';
import { readProviderFile } from '../adapters/kubernetes/provider-file.ts';
import { createSemaphore } from '../async/semaphore.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import type { DefaultWish } from '../discover/default-cluster.ts';
import type { ApiServer } from '../ports/api-server.ts';
import type { ClusterSource } from '../ports/cluster-source.ts';
import type { Context } from './context.ts';
import { type GoogleSources, gatewayOf } from './google-sources.ts';
import { openHomes } from './homes.ts';

/** As for kubeconfigs: cold plugins take a processor each for seconds. */
const EXEC_PROCESSES = 4;

/** Throws Mk8sError `config` for a provider file that cannot be used. `google` is asked at the first request to one of its clusters. */
export async function openClusterProfileSource(
  config: Config,
  others: readonly ClusterSource[],
  wish: DefaultWish,
  { env }: Context,
  google: () => Promise<GoogleSources>,
): Promise<{ readonly source: ClusterSource; close(): Promise<void> }> {
  const { contexts, namespaces, providerFile } = config.clusterprofile;
  const homes = openHomes({
    others,
    contexts,
    wish,
    attempt: 'look for ClusterProfiles',
    flag: '--clusterprofile-contexts',
  });
  return {
    source: clusterProfileSource({
      homes: (signal) => homes.find(signal),
      namespaces,
      untrusted: {
        allow: config.allowServers,
        env,
        now: () => systemClock.now(),
        processes: createSemaphore(EXEC_PROCESSES),
      },
      plugins: providerFile === undefined ? [] : await readProviderFile(providerFile),
      own: [ofGoogle(google, gatewayOf(env))],
      clock: systemClock,
      random: Math.random,
    }),
    close: () => homes.close(),
  };
}

function ofGoogle(google: () => Promise<GoogleSources>, gateway: URL | undefined): OwnProvider {
  return {
    name: 'google',
    reach: FRONT_DOOR,
    mayReach: (server) => isFrontDoor(server, gateway),
    open({ name, server, ca }) {
      const project = gatewayProject(server) ?? 'PROJECT';
      return deferred(server, async () => (await google()).open({ name, server, ca, project }));
    },
  };
}

/** Opened at the first request. */
function deferred(server: URL, open: () => Promise<ApiServer>): ApiServer {
  let opened: Promise<ApiServer> | undefined;
  return {
    server: server.href.replace(/\/+$/, ''),
    async request(request) {
      opened ??= open();
      return await (await opened).request(request);
    },
    async close() {
      await (await opened)?.close();
    },
  };
}

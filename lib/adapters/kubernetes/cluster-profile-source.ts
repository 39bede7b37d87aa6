// Clusters out of the Cluster Inventory API: ClusterProfile objects, followed by watch. What they say is not trusted: they choose
// a server, but what is run, and which servers get whose tokens, is the operator's to say.
import { hash } from 'node:crypto';
import { Mk8sError } from '../../model/errors.ts';
import type { ApiServer } from '../../ports/api-server.ts';
import type { ClusterCandidate, ClusterSource } from '../../ports/cluster-source.ts';
import { type AccessProvider, type ClusterProfile, clusterProfileOf } from './cluster-profile.ts';
import { entryCandidates } from './entry-candidates.ts';
import { type FollowedOptions, followPlaces } from './followed-places.ts';
import type { ExecProvider } from './provider-file.ts';
import { shownTrust, type TlsSettings } from './tls-trust.ts';
import { openApiServer } from './transport.ts';
import { type UntrustedOptions, untrustedCluster } from './untrusted-kubeconfig.ts';

const SOURCE = 'clusterprofile';

/** A provider whose credentials this process has by itself. */
export interface OwnProvider {
  readonly name: string;
  /** Whether a server may get them. */
  mayReach(server: URL): boolean;
  /** Where they may go, for messages: `Connect Gateway and gke.goog`. */
  readonly reach: string;
  open(endpoint: { readonly name: string; readonly server: URL; readonly ca: string | undefined }): ApiServer;
}

/** `namespaces`: where the ClusterProfiles are. */
export interface ClusterProfileSourceOptions extends Omit<FollowedOptions, 'collection'> {
  readonly untrusted: UntrustedOptions;
  /** By preference: the first that a profile has is taken, before `own`. */
  readonly plugins: readonly ExecProvider[];
  readonly own: readonly OwnProvider[];
}

/** A place that cannot be read fails the source as a whole (what it named before stays); a profile that is wrong is a problem. */
export function clusterProfileSource(options: ClusterProfileSourceOptions): ClusterSource {
  const { untrusted, plugins, own, ...places } = options;
  const profiles = followPlaces({
    ...places,
    collection: (namespace) => ({
      path: `/apis/multicluster.x-k8s.io/v1alpha1/namespaces/${encodeURIComponent(namespace)}/clusterprofiles`,
      attempt: `read the ClusterProfiles in namespace ${namespace}`,
    }),
  });
  return {
    name: SOURCE,
    async discover(signal) {
      const found = await profiles.read(signal).catch((error: unknown) => {
        throw withAdvice(error);
      });
      const means = { untrusted, plugins, own };
      return await entryCandidates(SOURCE, found.map(clusterProfileOf), (profile) => candidateOf(profile, means));
    },
    changed: (signal) => profiles.changed(signal),
  };
}

/** A way to the cluster. */
interface Access {
  readonly server: URL;
  readonly tls: TlsSettings | undefined;
  /** What it depends on. */
  readonly key: unknown;
  connect(): ApiServer;
}

async function candidateOf(
  profile: ClusterProfile,
  means: Pick<ClusterProfileSourceOptions, 'untrusted' | 'plugins' | 'own'>,
): Promise<ClusterCandidate> {
  const name = `clusterprofile_${profile.namespace}_${profile.name}`;
  const { location, state, labels } = profile;
  const access = await accessOf(name, profile, means);
  const unavailable = access === undefined ? noProvider(profile) : undefined;
  return {
    name,
    source: SOURCE,
    server: access?.server.href.replace(/\/+$/, '') ?? '',
    ...(await shownTrust(access?.tls)),
    namespace: 'default',
    isDefault: false,
    untrusted: true,
    state,
    labels,
    fingerprint: hash('sha256', JSON.stringify([profile.origin, access?.key, unavailable]), 'hex'),
    ...(location === undefined ? {} : { location }),
    ...(unavailable === undefined ? {} : { unavailable }),
    connect() {
      if (access === undefined) throw new Mk8sError(noProvider(profile), { code: 'config' });
      return access.connect();
    },
  };
}

async function accessOf(
  name: string,
  profile: ClusterProfile,
  { untrusted, plugins, own }: Pick<ClusterProfileSourceOptions, 'untrusted' | 'plugins' | 'own'>,
): Promise<Access | undefined> {
  const offered = new Map(profile.providers.map((provider) => [provider.name, provider]));
  for (const plugin of plugins) {
    const provider = offered.get(plugin.name);
    if (provider !== undefined) return await byPlugin(name, profile, provider, plugin, untrusted);
  }
  for (const mine of own) {
    const provider = offered.get(mine.name);
    if (provider !== undefined) return await byOwn(name, profile, provider, mine, untrusted);
  }
  return undefined;
}

async function byPlugin(
  name: string,
  profile: ClusterProfile,
  { cluster }: AccessProvider,
  { name: plugin, exec }: ExecProvider,
  untrusted: UntrustedOptions,
): Promise<Access> {
  const { options } = await untrustedCluster(
    cluster,
    { exec },
    `${profile.origin}, access provider ${plugin}`,
    untrusted,
  );
  return {
    server: options.server,
    tls: options.tls,
    key: [cluster, exec],
    connect: () => openApiServer({ ...options, name }),
  };
}

/** Our own tokens go only where their issuer's servers are, and with no other trust than the system's: else the object chose who gets them. */
async function byOwn(
  name: string,
  profile: ClusterProfile,
  { cluster }: AccessProvider,
  mine: OwnProvider,
  untrusted: UntrustedOptions,
): Promise<Access> {
  const { options } = await untrustedCluster(cluster, {}, profile.origin, untrusted);
  const { server, tls } = options;
  const allowed = untrusted.allow.includes(server.hostname.replace(/^\[|\]$/g, ''));
  const refuse = (why: string): Mk8sError =>
    new Mk8sError(`${profile.origin}, access provider ${mine.name} is not used: ${why}`, { code: 'config' });
  if (!allowed && !mine.mayReach(server)) {
    throw refuse(
      `its tokens are sent to ${mine.reach} only, and not to ${server.host}; allow it by name with --allow-servers ${server.hostname}`,
    );
  }
  if (!allowed && (tls?.ca !== undefined || tls?.serverName !== undefined)) {
    throw refuse(
      `it names a certificate authority or another name for ${server.host}, whose certificate every system trusts`,
    );
  }
  const ca = tls?.ca !== undefined && 'pem' in tls.ca ? tls.ca.pem : undefined;
  return { server, tls, key: [cluster, mine.name], connect: () => mine.open({ name, server, ca }) };
}

function noProvider({ origin, providers }: ClusterProfile): string {
  if (providers.length === 0) return `${origin} has no access provider: its cluster manager offers no way to it`;
  const names = providers.map(({ name }) => name).join(', ');
  return `${origin} has no access provider that may be used, but ${names}; give one a plugin with --clusterprofile-provider-file`;
}

/** Without its definition the API server knows no such path. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof Mk8sError) || error.status !== 404) return error;
  return new Mk8sError(
    `${error.message}. Install the definition of clusterprofiles.multicluster.x-k8s.io there (https://github.com/kubernetes-sigs/cluster-inventory-api), or name another cluster with --clusterprofile-contexts`,
    { code: error.code, status: 404, cause: error },
  );
}

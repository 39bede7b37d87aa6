// The metadata server, composed: whose tokens it gives, and what it tells of the place.
import { googleGet } from '../adapters/google/google-request.ts';
import { hubMemberships } from '../adapters/google/hub-memberships.ts';
import { CLUSTER_SCOPES } from '../adapters/google-api/scopes.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import { serveMetadata } from '../metadata/serve.ts';
import { Mk8sError, messageOf } from '../model/errors.ts';
import type { Context } from './context.ts';
import { hostsOf } from './google-hosts.ts';
import { openGoogleIdentity } from './google-identity.ts';
import { namedHome } from './home-cluster.ts';

export interface MetadataHandle {
  /** `127.0.0.1:15021`, as GCE_METADATA_HOST wants it. */
  readonly host: string;
  /** Whose tokens it gives, for people. */
  readonly identity: string;
  readonly project: string | undefined;
  /** Resolves when what was asked has been answered, within 5 s. */
  stop(): Promise<void>;
}

/** `cluster`: whose place and identity it has; default the default cluster. Throws Mk8sError `config`. */
export async function startMetadata(
  config: Config,
  context: Context,
  cluster: string | undefined,
): Promise<MetadataHandle> {
  const { address, port } = config.metadata;
  refuseItself(context.env, address, port);
  const home = cluster === undefined ? {} : { home: namedHome(cluster, config, context) };
  const identity = await openGoogleIdentity(config, context, home);
  const { tokens } = identity;
  const { resourceManager } = hostsOf(context.env);
  const numbers = hubMemberships({
    get: googleGet(tokens),
    ...(resourceManager === undefined ? {} : { resourceManagerUrl: resourceManager }),
  });
  try {
    const place = await identity.place();
    const project = config.google.projects[0] ?? place.project ?? (await identity.projectId());
    const server = await serveMetadata({
      source: {
        tokens,
        email: (await identity.email()) ?? 'default',
        scopes: CLUSTER_SCOPES,
        projectId: () => Promise.resolve(project),
        async projectNumber() {
          const known = config.metadata.projectNumber;
          return known ?? (project === undefined ? undefined : await numbers.projectNumber(project, context.signal));
        },
        location: config.metadata.location ?? place.location,
        clusterName: config.metadata.clusterName ?? place.name,
      },
      address,
      port,
      now: () => systemClock.now(),
      report: context.report,
    });
    tryOnce(() => tokens.get({ kind: 'access' }, { signal: context.signal }), context);
    return {
      host: server.host,
      identity: tokens.identity,
      project,
      async stop() {
        await server.stop();
        await identity.close();
      },
    };
  } catch (error) {
    await identity.close();
    throw error;
  }
}

/** So that what is wrong with the credentials is said at the start, and not to the first client only. */
function tryOnce(get: () => Promise<unknown>, { report, signal }: Context): void {
  get().catch((error: unknown) => {
    if (signal.aborted) return;
    report({ severity: 'WARNING', message: `No token can be had just now: ${messageOf(error)}` });
  });
}

/** With GCE_METADATA_HOST set for its clients in its own environment, it would ask itself for its tokens. */
function refuseItself(env: NodeJS.ProcessEnv, address: string, port: number): void {
  for (const name of ['GCE_METADATA_HOST', 'GCE_METADATA_IP', 'GCE_METADATA_ROOT']) {
    const host = env[name]?.replace(/^localhost(?=:|$)/, '127.0.0.1');
    if (host !== undefined && host === `${address}:${port}`) {
      throw new Mk8sError(
        `Cannot serve metadata at ${host}: ${name} names this very server, so it would ask itself for tokens. Unset it here; it is for the clients`,
        { code: 'config' },
      );
    }
  }
}

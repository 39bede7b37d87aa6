// Google's metadata server, where workloads on Google Cloud get their identity: GCE, GKE, Cloud Run.
// Source: https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys
import { untilAborted } from '../../async/until-aborted.ts';
import { Mk8sError } from '../../model/errors.ts';
import { Token } from '../../model/token.ts';
import type { TokenRequest, TokenSource } from '../../ports/token-source.ts';
import { googleError, type Refusal } from '../google-api/google-error.ts';
import { CLOUD_PLATFORM } from '../google-api/scopes.ts';
import { jwtExpiry } from './jwt.ts';

/** Where this process runs, as the metadata server says. */
export interface Surroundings {
  readonly projectId: string;
  /** What fleets and Connect Gateway call the project. */
  readonly projectNumber: string;
  /** `us-central1`; undefined where the platform does not say. */
  readonly region: string | undefined;
  /** The attached service account, or `POOL.svc.id.goog` for a workload identity pool. */
  readonly serviceAccount: string;
}

type Library = typeof import('gcp-metadata');

export interface MetadataServerOptions {
  /** Whose tokens they are, where `surroundings` has said so: for messages. */
  readonly account?: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Default: the package gcp-metadata, imported at the first use (80 ms). It honours GCE_METADATA_HOST. */
  readonly library?: () => Promise<Pick<Library, 'instance' | 'project' | 'isAvailable'>>;
}

export interface MetadataServer extends TokenSource {
  /** False off Google Cloud; asked once. */
  isAvailable(): Promise<boolean>;
  /** Throws Mk8sError `credentials` or `unreachable`. */
  surroundings(signal?: AbortSignal): Promise<Surroundings>;
}

export function metadataServer(options: MetadataServerOptions): MetadataServer {
  const { account, now, library = () => import('gcp-metadata') } = options;
  const identity = `${account === undefined ? 'the service account of this workload' : `service account ${account}`} (metadata server)`;

  async function attempt<T>(attempted: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw googleError(error, { attempted, identity, advice });
    }
  }

  async function read(property: string, params: Record<string, string>, signal?: AbortSignal): Promise<unknown> {
    const { instance, project } = await library();
    const ask = property.startsWith('project/') ? project : instance;
    const asked = ask({ property: property.replace(/^project\//, ''), params }) as Promise<unknown>;
    // The library takes no signal: its answer is not waited for any longer.
    return await untilAborted(asked, signal);
  }

  async function accessToken(scopes: readonly string[], signal: AbortSignal | undefined): Promise<Token> {
    const attempted = 'get an access token from the metadata server';
    const answer = await attempt(attempted, () =>
      read('service-accounts/default/token', { scopes: scopes.join(',') }, signal),
    );
    const { access_token: token, expires_in: seconds } = isRecord(answer) ? answer : {};
    if (typeof token !== 'string' || token === '' || typeof seconds !== 'number') {
      throw new Mk8sError(`Cannot ${attempted}: the answer has no access_token and expires_in`, { code: 'protocol' });
    }
    return new Token(token, new Date(now() + seconds * 1000));
  }

  async function identityToken(audience: string, signal: AbortSignal | undefined): Promise<Token> {
    const attempted = `get an identity token for ${audience} from the metadata server`;
    const answer = await attempt(attempted, () =>
      read('service-accounts/default/identity', { audience, format: 'full' }, signal),
    );
    const expiresAt = typeof answer === 'string' ? jwtExpiry(answer) : undefined;
    if (typeof answer !== 'string' || expiresAt === undefined) {
      throw new Mk8sError(`Cannot ${attempted}: the answer is not a JWT with an expiry`, { code: 'protocol' });
    }
    return new Token(answer, expiresAt);
  }

  return {
    identity,
    // A workload identity pool stands here, too; it is no member by itself.
    principal: account?.includes('@') === true ? `serviceAccount:${account}` : undefined,
    async isAvailable() {
      return await (await library()).isAvailable();
    },
    async get(request: TokenRequest, { signal } = {}) {
      return request.kind === 'access'
        ? await accessToken(request.scopes ?? [CLOUD_PLATFORM], signal)
        : await identityToken(request.audience, signal);
    },
    async surroundings(signal) {
      const [projectId, projectNumber, serviceAccount, zone] = await attempt('read where this workload runs', () =>
        Promise.all([
          read('project/project-id', {}, signal),
          read('project/numeric-project-id', {}, signal),
          read('service-accounts/default/email', {}, signal),
          // Cloud Run has a region here; a machine and a GKE node have a zone.
          read('region', {}, signal).catch(() => read('zone', {}, signal)),
        ]),
      );
      return {
        projectId: String(projectId),
        projectNumber: String(projectNumber),
        serviceAccount: String(serviceAccount),
        region: regionOf(String(zone)),
      };
    },
  };
}

/** `projects/123/regions/us-central1` or `projects/123/zones/us-central1-b`. */
function regionOf(place: string): string | undefined {
  const [, kind, name] = /^projects\/[^/]+\/(regions|zones)\/([a-z0-9-]+)$/.exec(place) ?? [];
  return kind === 'zones' ? name?.replace(/-[a-z]$/, '') : name;
}

function advice({ status }: Refusal): string | undefined {
  if (status === 404) return 'Attach a service account to this workload, or on GKE switch Workload Identity on';
  if (status !== undefined) return undefined;
  return 'Off Google Cloud use application default credentials ("gcloud auth application-default login"), or set GCE_METADATA_HOST';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

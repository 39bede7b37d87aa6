// Clusters from kubeconfig files: every context is a candidate, a broken one is a problem and not an end.
import { createSemaphore, type Semaphore } from '../../async/semaphore.ts';
import type { Problem } from '../../model/cluster.ts';
import { Mk8sError } from '../../model/errors.ts';
import type { ClusterCandidate, ClusterSource } from '../../ports/cluster-source.ts';
import { type ContextConnection, contextConnection } from './context.ts';
import type { Credentials } from './credentials.ts';
import { type Kubeconfig, type KubeconfigLocation, loadKubeconfig } from './kubeconfig-load.ts';
import { shownTrust } from './tls-trust.ts';
import { openApiServer } from './transport.ts';

export interface KubeconfigSourceOptions extends KubeconfigLocation {
  /** Only these contexts; one that does not exist is a problem. Default: all. */
  readonly contexts?: readonly string[];
  /** Milliseconds since 1970; for credentials that expire. Default Date.now. */
  readonly now?: () => number;
  /** How long an exec plugin may take. Default 60 s. */
  readonly execTimeoutMs?: number;
}

const SOURCE = 'kubeconfig';

/** Cold cloud CLIs take a processor each for seconds; fifty contexts must not start fifty of them at once. */
const EXEC_PROCESSES = 4;

/** A source over KUBECONFIG or `~/.kube/config` (or `path`), read anew at each discovery. */
export function kubeconfigSource(options: KubeconfigSourceOptions): ClusterSource {
  const credentials = new SharedCredentials();
  const processes = createSemaphore(EXEC_PROCESSES);
  return {
    name: SOURCE,
    discover: async (signal) => {
      const kubeconfig = await loadKubeconfig(options);
      return await candidatesOf(kubeconfig, options, processes, credentials, signal);
    },
  };
}

async function candidatesOf(
  kubeconfig: Kubeconfig,
  options: KubeconfigSourceOptions,
  processes: Semaphore,
  shared: SharedCredentials,
  signal: AbortSignal | undefined,
): Promise<{ candidates: readonly ClusterCandidate[]; problems: readonly Problem[] }> {
  const problems = [...kubeconfig.problems];
  const candidates: ClusterCandidate[] = [];
  const current = kubeconfig.document['current-context'];
  const names = kubeconfig.document.contexts.map(({ name }) => name);
  for (const wanted of options.contexts ?? (current === '' ? [] : [current])) {
    if (kubeconfig.files.length > 0 && !names.includes(wanted)) problems.push(noSuchContext(wanted, names, kubeconfig));
  }
  for (const name of names.filter((context) => options.contexts?.includes(context) ?? true)) {
    signal?.throwIfAborted();
    try {
      const connection = await contextConnection(kubeconfig, name, {
        env: options.env,
        now: options.now ?? Date.now,
        processes,
        ...(options.execTimeoutMs === undefined ? {} : { execTimeoutMs: options.execTimeoutMs }),
      });
      problems.push(...connection.warnings);
      candidates.push(await candidate(name, name === current, connection, shared));
    } catch (error) {
      if (!(error instanceof Mk8sError)) throw error;
      problems.push(error.message);
    }
  }
  shared.keepOnly(new Set(candidates.map(({ fingerprint }) => fingerprint)));
  return { candidates, problems: problems.map((message) => ({ source: SOURCE, message })) };
}

async function candidate(
  name: string,
  isDefault: boolean,
  connection: ContextConnection,
  shared: SharedCredentials,
): Promise<ClusterCandidate> {
  const { options, namespace, fingerprint } = connection;
  const credentials = shared.get(fingerprint, options.credentials);
  return {
    name,
    source: SOURCE,
    server: options.server.href.replace(/\/+$/, ''),
    ...(await shownTrust(options.tls)),
    namespace,
    isDefault,
    fingerprint,
    connect: () => openApiServer({ ...options, credentials }),
  };
}

function noSuchContext(wanted: string, names: readonly string[], { files }: Kubeconfig): string {
  const known = names.length === 0 ? 'there are none' : `there are: ${names.join(', ')}`;
  return `Kubeconfig ${files.join(', ')}: there is no context "${wanted}"; ${known}.`;
}

/** Contexts with the same cluster and user, and later discoveries of them, share one token and one plugin process. */
class SharedCredentials {
  readonly #byFingerprint = new Map<string, Credentials>();

  get(fingerprint: string, fallback: Credentials): Credentials {
    const known = this.#byFingerprint.get(fingerprint) ?? fallback;
    this.#byFingerprint.set(fingerprint, known);
    return known;
  }

  keepOnly(fingerprints: ReadonlySet<string>): void {
    for (const known of this.#byFingerprint.keys()) if (!fingerprints.has(known)) this.#byFingerprint.delete(known);
  }
}

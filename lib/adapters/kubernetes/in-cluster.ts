// The cluster that this process runs in, from the files that kubelet mounts into every pod.
// Source: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { messageOf } from '../../model/errors.ts';
import type { ClusterSource } from '../../ports/cluster-source.ts';
import { tokenFileCredentials } from './credentials-files.ts';
import type { Environment } from './proxy-choice.ts';
import { chooseProxy } from './proxy-choice.ts';
import { openApiServer } from './transport.ts';

export interface InClusterOptions {
  readonly env: Environment;
  /** Where token, ca.crt and namespace are. Default `/var/run/secrets/kubernetes.io/serviceaccount`. */
  readonly folder?: string;
  /** Milliseconds since 1970. Default Date.now. */
  readonly now?: () => number;
}

const SOURCE = 'in-cluster';

/** One candidate inside a pod with a service account, none elsewhere. The token is re-read as kubelet rotates it. */
export function inClusterSource(options: InClusterOptions): ClusterSource {
  const folder = options.folder ?? '/var/run/secrets/kubernetes.io/serviceaccount';
  const credentials = tokenFileCredentials(join(folder, 'token'), options.now ?? Date.now);
  return {
    name: SOURCE,
    discover: async () => {
      const host = options.env['KUBERNETES_SERVICE_HOST'] ?? '';
      const port = options.env['KUBERNETES_SERVICE_PORT'] ?? '';
      if (host === '' || port === '') return { candidates: [], problems: [] };
      try {
        await readFile(join(folder, 'token'), 'utf8');
      } catch (error) {
        // A pod may run without a token on purpose (automountServiceAccountToken: false).
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { candidates: [], problems: [] };
        const message = `In-cluster service account: cannot read the token: ${messageOf(error)}. Check the pod's user and volumes.`;
        return { candidates: [], problems: [{ source: SOURCE, message }] };
      }
      const server = new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`);
      const namespace = (await readIfThere(join(folder, 'namespace'))).trim();
      const proxy = chooseProxy(server, undefined, options.env);
      const connect = () =>
        openApiServer({
          name: SOURCE,
          server,
          tls: { ca: { file: join(folder, 'ca.crt') } },
          credentials,
          ...(proxy === undefined ? {} : { proxy }),
        });
      const ca = await readIfThere(join(folder, 'ca.crt'));
      const candidate = {
        name: SOURCE,
        source: SOURCE,
        server: server.href.replace(/\/+$/, ''),
        ...(ca === '' ? {} : { certificateAuthority: ca }),
        namespace: namespace === '' ? 'default' : namespace,
        isDefault: true,
        fingerprint: hash('sha256', JSON.stringify([server.href, folder]), 'hex'),
        connect,
      };
      return { candidates: [candidate], problems: [] };
    },
  };
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

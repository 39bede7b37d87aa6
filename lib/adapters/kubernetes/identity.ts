// Who a cluster is, whatever its contexts call it: the uid of its namespace kube-system, which every cluster has once and
// keeps, also across restores.
import { hash } from 'node:crypto';
import { Mk8sError } from '../../model/errors.ts';
import type { ApiServer } from '../../ports/api-server.ts';
import { isRecord } from './client-object.ts';
import { sendJson, type Target } from './rest.ts';

export interface ClusterIdentity {
  readonly id: string;
  /** Of the server, e.g. `v1.36.2`. */
  readonly version: string;
}

/**
 * Reads a cluster's identity and version. Throws Mk8sError, classified as by `ApiServer` and `send`: `http` 403
 * where the namespace may not be read; a caller may then use `fallbackClusterId` with `readServerVersion`.
 */
export async function readClusterIdentity(
  api: ApiServer,
  signal?: AbortSignal,
  name: string = api.server,
): Promise<ClusterIdentity> {
  const target = { api, name };
  const [id, version] = await Promise.all([readNamespaceUid(target, signal), readServerVersion(api, signal, name)]);
  return { id, version };
}

/** Reads `/version`, for which no permission is needed in a default cluster. */
export async function readServerVersion(
  api: ApiServer,
  signal?: AbortSignal,
  name: string = api.server,
): Promise<string> {
  const target = { api, name };
  const attempt = 'read the version';
  const answer = await sendJson(target, { path: '/version', ...(signal === undefined ? {} : { signal }) }, attempt);
  if (isRecord(answer) && typeof answer['gitVersion'] === 'string') return answer['gitVersion'];
  throw new Mk8sError(
    `Cannot ${attempt} of cluster "${name}": the answer has no gitVersion; is it a Kubernetes API server?`,
    {
      code: 'protocol',
    },
  );
}

/**
 * The identity of a cluster whose kube-system may not be read: stable as long as the server's URL and CA are. Two ways to
 * one cluster (two URLs) then count as two clusters.
 */
export function fallbackClusterId(server: string, caFingerprint = ''): string {
  return `server:${hash('sha256', `${server}\n${caFingerprint}`, 'hex').slice(0, 32)}`;
}

async function readNamespaceUid(target: Target, signal: AbortSignal | undefined): Promise<string> {
  const attempt = 'read the identity (uid of namespace kube-system)';
  const request = {
    path: '/api/v1/namespaces/kube-system',
    headers: { accept: 'application/json' },
    ...(signal === undefined ? {} : { signal }),
  };
  const answer = await sendJson(target, request, attempt);
  const uid = isRecord(answer) && isRecord(answer['metadata']) ? answer['metadata']['uid'] : undefined;
  if (typeof uid === 'string' && uid !== '') return uid;
  throw new Mk8sError(`Cannot ${attempt} of cluster "${target.name}": the answer has no metadata.uid`, {
    code: 'protocol',
  });
}

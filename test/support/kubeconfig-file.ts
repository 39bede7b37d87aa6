// A kubeconfig for test clusters, with a context for each.
import type { ClusterEndpoint } from './cluster-client.ts';

/** The text of a kubeconfig (as JSON, which YAML includes). The first context is the current one. */
export function kubeconfigText(contexts: Readonly<Record<string, ClusterEndpoint>>): string {
  const entries = Object.entries(contexts);
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': entries[0]?.[0] ?? '',
    contexts: entries.map(([name]) => ({ name, context: { cluster: name, user: name } })),
    clusters: entries.map(([name, { url, ca }]) => ({
      name,
      cluster: { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') },
    })),
    users: entries.map(([name, { token }]) => ({ name, user: { token } })),
  });
}

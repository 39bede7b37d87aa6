// A kubeconfig with a context per cluster.

export interface KubeconfigCluster {
  readonly name: string;
  readonly url: string;
  readonly token: string;
  /** PEM. */
  readonly ca: string;
}

/** YAML; the first cluster's context is the current one. Every value is a JSON string, which is YAML too. */
export function kubeconfig(clusters: readonly KubeconfigCluster[]): string {
  const quoted = (text: string): string => JSON.stringify(text);
  const lines = ['apiVersion: v1', 'kind: Config', `current-context: ${quoted(clusters[0]?.name ?? '')}`, 'clusters:'];
  for (const { name, url, ca } of clusters) {
    const data = Buffer.from(ca).toString('base64');
    lines.push(
      `- name: ${quoted(name)}`,
      '  cluster:',
      `    server: ${quoted(url)}`,
      `    certificate-authority-data: ${quoted(data)}`,
    );
  }
  lines.push('users:');
  for (const { name, token } of clusters)
    lines.push(`- name: ${quoted(name)}`, '  user:', `    token: ${quoted(token)}`);
  lines.push('contexts:');
  for (const { name } of clusters) {
    lines.push(
      `- name: ${quoted(name)}`,
      '  context:',
      `    cluster: ${quoted(name)}`,
      `    user: ${quoted(name)}`,
      '    namespace: "default"',
    );
  }
  return `${lines.join('\n')}\n`;
}

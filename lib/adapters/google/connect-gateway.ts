// Whose Connect Gateway a cluster is reached through: its quotas are counted for the fleet's host project, whatever the
// region. Source: https://docs.cloud.google.com/kubernetes-engine/enterprise/multicluster-management/gateway/quotas

/** `Connect Gateway of project 123456789012`, by the project's number: gateways with the same name share their quotas. */
export function gatewayName(projectNumber: string): string {
  return `Connect Gateway of project ${projectNumber}`;
}

/** The same of a server's URL, as gcloud writes it into kubeconfigs; undefined where it is no gateway's. */
export function gatewayOf(server: string): string | undefined {
  if (!URL.canParse(server)) return undefined;
  const { hostname, pathname } = new URL(server);
  if (!/^(?:[a-z0-9-]+-)?connectgateway\.googleapis\.com$/.test(hostname)) return undefined;
  const [, project] = /^\/v1[a-z0-9]*\/projects\/([^/]+)\//.exec(pathname) ?? [];
  return project === undefined ? undefined : gatewayName(project);
}

// Where a cluster is and whom to trust there, in a kubeconfig's words, which the Cluster Inventory API has too.
import type { ClusterInfo } from '../model/cluster.ts';

/** A kubeconfig's `cluster`. */
export function endpointOf({ server, certificateAuthority: ca, tlsServerName }: ClusterInfo): object {
  return {
    server,
    ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    ...(tlsServerName === undefined ? {} : { 'tls-server-name': tlsServerName }),
  };
}

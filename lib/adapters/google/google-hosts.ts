// Which servers get Google's tokens although an object of a cluster named them: those that are Google's own front door, which
// hands no token on to a cluster.

/** For messages. */
export const FRONT_DOOR = 'Connect Gateway and gke.goog';

/** Connect Gateway (its regional hosts too, and where it was configured to be), and the DNS endpoints of GKE clusters. */
export function isFrontDoor(server: URL, gateway?: URL): boolean {
  if (gateway !== undefined && server.origin === gateway.origin) return true;
  if (server.protocol !== 'https:' || server.port !== '') return false;
  return (
    /^(?:[a-z0-9-]+-)?connectgateway\.googleapis\.com$/.test(server.hostname) || server.hostname.endsWith('.gke.goog')
  );
}

/** The project that a URL of Connect Gateway names, by number; undefined for others. */
export function gatewayProject(server: URL): string | undefined {
  return /^\/v1\/projects\/([a-z0-9-]+)\/locations\//.exec(server.pathname)?.[1];
}

// resourceVersion is opaque to everyone but this file.

/** A resourceVersion as a server sent it. Compare only with `compareResourceVersions`. */
export type ResourceVersion = string & { readonly __brand: 'ResourceVersion' };

/** Brands a string that came from a server (or from our own record of one). */
export function resourceVersion(text: string): ResourceVersion {
  return text as ResourceVersion;
}

/**
 * Compares two resourceVersions of one stream and epoch: negative, zero or positive.
 *
 * They are decimal numbers without leading zeros, of any length: by contract since Kubernetes 1.35 (KEP-5504),
 * in practice with etcd always. So the longer one is larger, and equal lengths compare as text.
 */
export function compareResourceVersions(a: ResourceVersion, b: ResourceVersion): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

// The aggregated form of discovery: APIGroupDiscoveryList of apidiscovery.k8s.io v2 and v2beta1.
import { isRecord } from './client-object.ts';
import type { DiscoveredPart, DiscoveredResource, FailedGroupVersion } from './discovery.ts';
import { joinGroupVersion } from './discovery-legacy.ts';

/** Parses the answer; undefined where it is not the aggregated form. Versions stay in the server's order of preference. */
export function parseAggregated(body: unknown): DiscoveredPart | undefined {
  if (!isRecord(body) || body['kind'] !== 'APIGroupDiscoveryList') return undefined;
  const resources: DiscoveredResource[] = [];
  const failed: FailedGroupVersion[] = [];
  for (const item of records(body['items'])) {
    const metadata = item['metadata'];
    const group = isRecord(metadata) ? text(metadata['name']) : '';
    for (const served of records(item['versions'])) {
      const version = text(served['version']);
      // An aggregated API server that does not answer: what is listed, if anything, is what it served before.
      if (served['freshness'] === 'Stale') {
        failed.push({
          groupVersion: joinGroupVersion(group, version),
          message: 'the API server behind this group does not answer (discovery says Stale)',
        });
      }
      for (const entry of records(served['resources'])) {
        const resource = parseResource(group, version, entry);
        if (resource !== undefined) resources.push(resource);
      }
    }
  }
  return { resources, failed };
}

/** Undefined for an entry that only carries subresources: it has no kind of its own. */
function parseResource(group: string, version: string, entry: Record<string, unknown>): DiscoveredResource | undefined {
  const responseKind = entry['responseKind'];
  const kind = isRecord(responseKind) ? text(responseKind['kind']) : '';
  const plural = text(entry['resource']);
  const verbs = Array.isArray(entry['verbs']) ? entry['verbs'].filter((verb) => typeof verb === 'string') : [];
  if (kind === '' || plural === '' || verbs.length === 0) return undefined;
  return { group, version, plural, kind, namespaced: entry['scope'] === 'Namespaced', verbs };
}

function records(value: unknown): readonly Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

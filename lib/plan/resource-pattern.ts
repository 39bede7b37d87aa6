// Which resources a pattern names.
import { glob } from '../model/glob.ts';
import { formatGroupResource, type GroupResource } from '../model/resource.ts';

/**
 * A predicate for `PLURAL.GROUP` with `*` for any characters: `httproutes.gateway.networking.k8s.io`, `*.istio.io` (also
 * `networking.istio.io`), `deployments.apps`, `configmaps` (core resources have no group), `*` for everything.
 * Core Secrets match only their full name, `secrets` (promise 9).
 */
export function resourcePattern(pattern: string): (resource: GroupResource) => boolean {
  const matches = glob(pattern.toLowerCase());
  return (resource) => {
    const name = formatGroupResource(resource);
    return name === 'secrets' ? pattern === 'secrets' : matches(name);
  };
}

// Ways to write down one cluster of Google's: a GKE cluster, or a member of a fleet.
import { Mk8sError } from './errors.ts';

export interface GkeName {
  readonly project: string;
  /** A region or a zone. */
  readonly location: string;
  readonly name: string;
}

/** Project ids may contain a domain and a colon (`example.com:project`); cluster names and locations are DNS labels. */
const PARTS =
  /^(?<project>[a-z0-9.:-]+)\/(?:locations\/|zones\/)?(?<location>[a-z0-9-]+)\/(?:clusters\/)?(?<name>[a-z0-9-]+)$/;

/**
 * `gke://PROJECT/LOCATION/NAME`, or a resource link as gcloud prints it:
 * `https://container.googleapis.com/v1/projects/P/locations/L/clusters/N` (also `zones`, `v1beta1`, and
 * `//container.googleapis.com/…`). Undefined for anything else.
 */
export function gkeNameOf(text: string): GkeName | undefined {
  const path = text
    .replace(/^gke:\/\/\/?/, '')
    .replace(/^(?:https:)?\/\/container\.googleapis\.com\/(?:v\d\w*\/)?projects\//, '');
  const { project, location, name } = PARTS.exec(path)?.groups ?? {};
  if (path === text || project === undefined || location === undefined || name === undefined) return undefined;
  return { project, location, name };
}

/** The same, but throws Mk8sError `config` for anything else. */
export function parseGkeName(text: string): GkeName {
  const found = gkeNameOf(text);
  if (found !== undefined) return found;
  throw new Mk8sError(
    `"${text}" names no GKE cluster: write gke://PROJECT/LOCATION/NAME, or its link https://container.googleapis.com/v1/projects/PROJECT/locations/LOCATION/clusters/NAME`,
    { code: 'config' },
  );
}

/** What a name says of where a cluster is. */
export interface NamedPlace extends GkeName {
  readonly kind: 'gke' | 'membership';
}

/**
 * By the name that gcloud gives to a context, and the gke and fleet sources to their clusters: `gke_PROJECT_LOCATION_NAME` and
 * `connectgateway_PROJECT_LOCATION_NAME`. Undefined for any other name. No part has an underscore.
 */
export function placeInName(text: string): NamedPlace | undefined {
  const { kind, project, location, name } =
    /^(?<kind>gke|connectgateway)_(?<project>[a-z0-9.:-]+)_(?<location>[a-z0-9-]+)_(?<name>[a-z0-9-]+)$/.exec(text)
      ?.groups ?? {};
  if (project === undefined || location === undefined || name === undefined) return undefined;
  return { kind: kind === 'gke' ? 'gke' : 'membership', project, location, name };
}

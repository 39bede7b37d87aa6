// Memberships of a fleet, every location, page by page. GKE Hub's REST API: its package cannot be had from every registry;
// behind this interface it can take its place.
// Source: https://cloud.google.com/kubernetes-engine/fleet-management/docs/reference/rest/v1/projects.locations.memberships
import { Mk8sError } from '../../model/errors.ts';
import type { GoogleGet } from './google-request.ts';

const PAGE = 500;
/** A fleet has hundreds of memberships; a server that pages for ever is not believed. */
const MOST_PAGES = 200;

export interface Membership {
  /** Project id of the fleet's host. */
  readonly project: string;
  /** `global` or a region. */
  readonly location: string;
  readonly name: string;
  /** `READY`, `CREATING`, `DELETING`, `UPDATING`, `SERVICE_UPDATING`. */
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `projects/P/locations/L/clusters/N` where the cluster is GKE's, else ''. */
  readonly gkeCluster: string;
  /** False where it was made and no cluster was ever registered under it. */
  readonly hasEndpoint: boolean;
}

export interface HubMemberships {
  /** `missing`: locations that did not answer. Throws Mk8sError `http`, `unreachable` or `protocol`. */
  list(
    project: string,
    signal?: AbortSignal,
  ): Promise<{ readonly memberships: readonly Membership[]; readonly missing: readonly string[] }>;
  /** What Connect Gateway calls the project. */
  projectNumber(project: string, signal?: AbortSignal): Promise<string>;
}

export interface HubOptions {
  readonly get: GoogleGet;
  /** Project id → number, where it is known without asking. */
  readonly numbers?: ReadonlyMap<string, string>;
  /** Default `https://gkehub.googleapis.com`. */
  readonly hubUrl?: URL;
  /** Default `https://cloudresourcemanager.googleapis.com`. */
  readonly resourceManagerUrl?: URL;
}

export function hubMemberships(options: HubOptions): HubMemberships {
  const { get, hubUrl, resourceManagerUrl } = options;
  const numbers = new Map(options.numbers);
  return {
    async list(project, signal) {
      const memberships: Membership[] = [];
      const missing = new Set<string>();
      let pageToken = '';
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const url = new URL(
          `/v1/projects/${encodeURIComponent(project)}/locations/-/memberships`,
          hubUrl ?? 'https://gkehub.googleapis.com',
        );
        url.searchParams.set('pageSize', String(PAGE));
        if (pageToken !== '') url.searchParams.set('pageToken', pageToken);
        const attempted = `list the fleet memberships of project ${project}`;
        const answer = await get(url, { attempted, api: 'gkehub', role: 'gkehub.viewer', project }, signal);
        memberships.push(...listOf(answer['resources']).flatMap((each) => membershipOf(project, each)));
        for (const location of listOf(answer['unreachable'])) missing.add(textOf(location));
        const next = answer['nextPageToken'];
        if (typeof next !== 'string' || next === '') return { memberships, missing: [...missing] };
        pageToken = next;
      }
      throw new Mk8sError(`The fleet of project ${project} has more than ${MOST_PAGES} pages of memberships`, {
        code: 'protocol',
      });
    },
    async projectNumber(project, signal) {
      const known = numbers.get(project);
      if (known !== undefined) return known;
      const url = new URL(
        `/v1/projects/${encodeURIComponent(project)}`,
        resourceManagerUrl ?? 'https://cloudresourcemanager.googleapis.com',
      );
      const attempted = `read the number of project ${project}`;
      const { projectNumber } = await get(
        url,
        { attempted, api: 'cloudresourcemanager', role: 'browser', project },
        signal,
      );
      const number = textOf(projectNumber);
      if (!/^\d+$/.test(number)) {
        throw new Mk8sError(`Cannot ${attempted}: the answer has no projectNumber`, { code: 'protocol' });
      }
      numbers.set(project, number);
      return number;
    },
  };
}

/** Nothing for an entry without a name: it cannot be addressed. */
function membershipOf(project: string, entry: unknown): Membership[] {
  const { name, state, labels, endpoint } = recordOf(entry);
  const [, location, id] =
    /^projects\/[^/]+\/locations\/([a-z0-9-]+)\/memberships\/([a-z0-9-]+)$/.exec(textOf(name)) ?? [];
  if (location === undefined || id === undefined) return [];
  const link = textOf(recordOf(recordOf(endpoint)['gkeCluster'])['resourceLink']);
  return [
    {
      project,
      location,
      name: id,
      state: textOf(recordOf(state)['code']) || 'CODE_UNSPECIFIED',
      labels: Object.fromEntries(Object.entries(recordOf(labels)).map(([key, value]) => [key, textOf(value)])),
      hasEndpoint: Object.keys(recordOf(endpoint)).length > 0,
      gkeCluster: link.replace(/^\/\/container\.googleapis\.com\//, '').replace('/zones/', '/locations/'),
    },
  ];
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Texts and numbers; the project number comes as either. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

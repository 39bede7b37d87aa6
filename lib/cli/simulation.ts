// `--simulate clusters=1000,resources=40`: a fleet in a few words.
import type { Simulation } from '../compose.ts';
import { Mk8sError } from '../model/errors.ts';

const KEYS = ['clusters', 'resources', 'gateway', 'projects', 'shards'] as const;
type Key = (typeof KEYS)[number];
/** Of each: more is a slip of the finger, and would take a while to print. */
const MOST: Readonly<Record<Key, number>> = {
  clusters: 100_000,
  resources: 10_000,
  gateway: 100_000,
  projects: 100_000,
  shards: 1_000,
};
const EXAMPLE = 'clusters=1000,resources=40[,gateway=1000][,projects=1][,shards=1]';

/**
 * `gateway`: how many of the clusters are reached through Connect Gateway (default: all); `projects`: fleet host projects
 * that they are spread over (default 1); `shards`: tasks (default as configured). Throws Mk8sError `config`.
 */
export function parseSimulation(text: string, configuredShards: number): Simulation {
  const given = new Map<Key, number>();
  for (const part of text.split(',').map((each) => each.trim())) {
    const [, name = '', value = ''] = /^([^=]*)=(.*)$/.exec(part) ?? [];
    const key = KEYS.find((known) => known === name.trim());
    if (key === undefined) throw wrong(`"${part}" is none of ${KEYS.map((known) => `${known}=NUMBER`).join(', ')}`);
    if (given.has(key)) throw wrong(`${key} is given twice`);
    const least = key === 'gateway' ? 0 : 1;
    const number = /^\d{1,9}$/.test(value.trim()) ? Number(value) : Number.NaN;
    if (!(number >= least && number <= MOST[key])) {
      throw wrong(`${key} must be a whole number from ${least} to ${MOST[key]}, not "${value}"`);
    }
    given.set(key, number);
  }
  const [clusters, resources] = [given.get('clusters'), given.get('resources')];
  if (clusters === undefined || resources === undefined) {
    throw wrong(`${clusters === undefined ? 'clusters' : 'resources'}=NUMBER is missing`);
  }
  const gateway = given.get('gateway') ?? clusters;
  if (gateway > clusters) throw wrong(`gateway=${gateway} is more than there are clusters (${clusters})`);
  return {
    clusters,
    resources,
    gateway,
    projects: given.get('projects') ?? 1,
    shards: given.get('shards') ?? configuredShards,
  };
}

function wrong(why: string): Mk8sError {
  return new Mk8sError(`--simulate: ${why}. Write it like ${EXAMPLE}.`, { code: 'config' });
}

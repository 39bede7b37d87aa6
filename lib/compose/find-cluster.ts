// One cluster of the configured sources, by name: for what needs no inventory, only a connection.
import type { Config } from '../config/options.ts';
import type { Problem } from '../model/cluster.ts';
import { Mk8sError, messageOf } from '../model/errors.ts';
import type { ClusterCandidate } from '../ports/cluster-source.ts';
import type { Context } from './context.ts';
import { defaultOf } from './home-cluster.ts';
import { withOwnGoogle } from './shared-google.ts';
import { openSources } from './sources.ts';

export interface FoundCluster {
  readonly candidate: ClusterCandidate;
  close(): Promise<void>;
}

/**
 * `name`: a candidate's name or the id that its source knows; default: the default cluster, else the only one.
 * Throws Mk8sError `config` with what there is.
 */
export async function findCluster(name: string | undefined, config: Config, context: Context): Promise<FoundCluster> {
  const opened = await withOwnGoogle(config, context, (google) => openSources(config, context, google));
  try {
    const candidates: ClusterCandidate[] = [];
    const problems: Problem[] = [...opened.problems];
    for (const source of opened.sources) {
      const found = await source.discover(context.signal).catch((error: unknown) => {
        context.signal.throwIfAborted();
        return { candidates: [], problems: [{ source: source.name, message: messageOf(error) }] };
      });
      candidates.push(...found.candidates);
      problems.push(...found.problems);
    }
    const candidate = choose(name, candidates);
    if (candidate === undefined) throw notFound(name, candidates, problems);
    const { unavailable } = candidate;
    if (unavailable !== undefined) {
      throw new Mk8sError(`Cannot connect to cluster "${candidate.name}": ${unavailable}`, { code: 'config' });
    }
    return { candidate, close: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

function choose(name: string | undefined, candidates: readonly ClusterCandidate[]): ClusterCandidate | undefined {
  if (name === undefined) return defaultOf(candidates);
  return candidates.find(({ id }) => id === name) ?? candidates.find((each) => each.name === name);
}

function notFound(
  name: string | undefined,
  candidates: readonly ClusterCandidate[],
  problems: readonly Problem[],
): Mk8sError {
  const there = candidates.length === 0 ? 'no cluster was found' : `there are ${names(candidates)}`;
  const said = problems.map(({ message }) => `; ${message.replace(/\.$/, '')}`).join('');
  const what = name === undefined ? 'Cannot tell which cluster is meant' : `Cannot find cluster "${name}"`;
  return new Mk8sError(
    `${what}: ${there}${said}. Name one by --cluster, or where to look by --source or --kubeconfig`,
    {
      code: 'config',
    },
  );
}

function names(candidates: readonly ClusterCandidate[]): string {
  return candidates.map((each) => `"${each.name}"`).join(', ');
}

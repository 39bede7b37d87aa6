// `--where cluster=a,resource=httproutes.gateway.networking.k8s.io,type=delete`: which changes to show.
import { nearest } from '../../config/nearest.ts';
import { Mk8sError } from '../../model/errors.ts';
import { glob } from '../../model/glob.ts';
import { formatGroupResource } from '../../model/resource.ts';
import type { Revision } from '../../model/revision.ts';
import type { StreamRef } from '../../model/stream.ts';

export interface Condition {
  readonly key: StreamKeyName | RevisionKeyName;
  readonly matches: (value: string) => boolean;
  /** True for `!=`. */
  readonly negated: boolean;
}

export interface Filter {
  /** Asked once per stream: what it refuses is not read from disk. */
  readonly wants: (stream: StreamRef) => boolean;
  readonly accepts: (revision: Revision) => boolean;
}

const streamKeys = {
  cluster: (stream: StreamRef) => stream.cluster as string,
  resource: (stream: StreamRef) => formatGroupResource(stream),
  group: (stream: StreamRef) => stream.group,
};
const revisionKeys = {
  namespace: (revision: Revision) => revision.namespace,
  name: (revision: Revision) => revision.name,
  kind: (revision: Revision) => revision.kind,
  type: (revision: Revision) => revision.type as string,
  origin: (revision: Revision) => revision.origin as string,
};
type StreamKeyName = keyof typeof streamKeys;
type RevisionKeyName = keyof typeof revisionKeys;

const knownKeys = [...Object.keys(streamKeys), ...Object.keys(revisionKeys)];
const knownValues: Partial<Record<string, readonly string[]>> = {
  type: ['add', 'update', 'delete'],
  origin: ['watch', 'snapshot', 'relist', 'replay'],
};

/**
 * Parses `KEY=VALUE[|VALUE…]` and `KEY!=VALUE[|VALUE…]` with commas between; all must hold. `*` in a value stands for
 * anything. Throws Mk8sError `config` that names the part that is wrong.
 */
export function parseWhere(texts: readonly string[]): readonly Condition[] {
  return texts
    .flatMap((text) => text.split(','))
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseCondition);
}

function parseCondition(part: string): Condition {
  const match = /^([^=!]+?)\s*(!?=)=?\s*(.*)$/.exec(part);
  const [key = '', operator, text = ''] = match?.slice(1) ?? [];
  if (match === null) {
    throw usage(`--where: "${part}" is not KEY=VALUE or KEY!=VALUE; the keys are ${knownKeys.join(', ')}`);
  }
  if (!knownKeys.includes(key)) {
    const near = nearest(key, knownKeys);
    const hint = near === undefined ? `the keys are ${knownKeys.join(', ')}` : `did you mean "${near}"?`;
    throw usage(`--where: unknown key "${key}"; ${hint}`);
  }
  const values = text.split('|').map((value) => value.trim());
  const known = knownValues[key];
  for (const value of values) {
    if (known !== undefined && !known.some(glob(value))) {
      throw usage(`--where: ${key} must be one of ${known.join(', ')}, not "${value}"`);
    }
  }
  const tests = values.map(glob);
  return {
    key: key as Condition['key'],
    matches: (value) => tests.some((test) => test(value)),
    negated: operator === '!=',
  };
}

/** `clusterName` gives a cluster's name for people, so that `cluster=` matches id or name. */
export function filterOf(
  conditions: readonly Condition[],
  clusterName: (stream: StreamRef) => string | undefined,
): Filter {
  const ofStreams = conditions.filter(({ key }) => key in streamKeys);
  const ofRevisions = conditions.filter(({ key }) => key in revisionKeys);
  return {
    wants: (stream) =>
      ofStreams.every(({ key, matches, negated }) => {
        const name = key === 'cluster' ? clusterName(stream) : undefined;
        const found = matches(streamKeys[key as StreamKeyName](stream)) || (name !== undefined && matches(name));
        return found !== negated;
      }),
    accepts: (revision) =>
      ofRevisions.every(
        ({ key, matches, negated }) => matches(revisionKeys[key as RevisionKeyName](revision)) !== negated,
      ),
  };
}

function usage(message: string): Mk8sError {
  return new Mk8sError(message, { code: 'config' });
}

// The flags of `npm run crash`.
import { parseArgs } from 'node:util';
import { kubeAssets } from '../support/kube-apiserver.ts';

export interface CrashOptions {
  readonly rounds: number;
  /** Decides acts, victims and the workload. The moments at which things happen are those of the machine. */
  readonly seed: number;
  readonly clusters: number;
  readonly servers: 'real' | 'sandbox';
  /** Only these acts; empty: all that are possible. */
  readonly acts: readonly string[];
  /** `limit`: as where no file system can be mounted. */
  readonly disk: 'auto' | 'limit';
  /** Leave logs and data folder also where all went well. */
  readonly keep: boolean;
}

export const usage = `npm run crash -- [--rounds 50] [--seed N] [--clusters 3] [--servers real|sandbox] [--acts a,b] [--disk auto|limit] [--keep]

Hurts everything at random and checks that no promise is broken. Servers: real ones where KUBEBUILDER_ASSETS names the
folder of kube-apiserver, etcd and etcdctl, else the sandbox, a process for each cluster. --disk limit: without a file
system of its own for the data folder. --keep: leave logs and data folder also where all went well.`;

/** Throws an Error with a sentence for whoever typed it. */
export function parseOptions(args: readonly string[]): CrashOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '50' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      clusters: { type: 'string', default: '3' },
      servers: { type: 'string', default: kubeAssets === undefined ? 'sandbox' : 'real' },
      acts: { type: 'string', default: '' },
      disk: { type: 'string', default: 'auto' },
      keep: { type: 'boolean', default: false },
    },
  });
  const { servers, disk } = values;
  if (servers !== 'real' && servers !== 'sandbox') throw new Error(`--servers: real or sandbox, not "${servers}"`);
  if (disk !== 'auto' && disk !== 'limit') throw new Error(`--disk: auto or limit, not "${disk}"`);
  if (servers === 'real' && kubeAssets === undefined) {
    throw new Error('--servers real: KUBEBUILDER_ASSETS has to name the folder of kube-apiserver, etcd and etcdctl');
  }
  return {
    rounds: whole('rounds', values.rounds),
    seed: whole('seed', values.seed),
    clusters: whole('clusters', values.clusters),
    servers,
    acts: values.acts.split(',').filter((name) => name !== ''),
    disk,
    keep: values.keep,
  };
}

function whole(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name}: a whole number from 1, not "${text}"`);
  return number;
}

// Where a simulation's clusters come from, as a kubeconfig would name them: they are named twice, move, leave and return.

import { Mk8sError } from '../../lib/model/errors.ts';
import type { ApiServer } from '../../lib/ports/api-server.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { ClusterCandidate, ClusterSource } from '../../lib/ports/cluster-source.ts';
import type { Faults } from './fault-dice.ts';
import type { SimProcess } from './process.ts';
import type { Dice } from './random.ts';

/** What can be opened. */
interface Reachable {
  readonly name: string;
  closeAddress(address: string, how: 'refused' | 'silent'): void;
  connect(peer: { address: string; clock: Clock; dice: Dice }): ApiServer;
}

export interface SimSource {
  /** The source as one process reads it. */
  open(process: SimProcess): ClusterSource;
  /** Lists a cluster under another name and address from now on. */
  move(cluster: Reachable): void;
  /** The same, and nobody answers any more where it was; a second name goes on leading to it. */
  moveAway(cluster: Reachable, how: 'refused' | 'silent'): void;
  /** Names it a second time, or no longer. */
  alias(cluster: Reachable): void;
  /** Leaves it out, or lists it again. */
  hide(cluster: Reachable): void;
  /** Everything is listed. */
  calm(): void;
}

interface Listed {
  readonly cluster: Reachable;
  moves: number;
  name: string;
  alias: string | undefined;
  hidden: boolean;
}

/** `isDirect`: reached without a gateway, also where others are behind one. */
export function createSimSource(
  clusters: readonly Reachable[],
  faults: Faults,
  isDirect: (cluster: Reachable) => boolean,
): SimSource {
  const listed = clusters.map(
    (cluster): Listed => ({ cluster, moves: 0, name: cluster.name, alias: undefined, hidden: false }),
  );
  const entry = (cluster: Reachable): Listed => listed.find((each) => each.cluster === cluster) as Listed;

  function candidates(process: SimProcess): ClusterCandidate[] {
    return listed.flatMap(({ cluster, name, alias, hidden }, index) => {
      if (hidden) return [];
      return (alias === undefined ? [name] : [name, alias]).map((context) => ({
        name: context,
        source: 'simulation',
        server: addressOf(context),
        namespace: 'default',
        isDefault: index === 0,
        fingerprint: context,
        ...(isDirect(cluster) ? {} : { gateway: 'the gateway' }),
        connect: () => {
          const address = addressOf(context);
          return process.guardApi(cluster.connect({ address, clock: process.clock, dice: process.dice.fork(address) }));
        },
      }));
    });
  }

  function rename(of: Listed): void {
    of.moves += 1;
    of.name = `${of.cluster.name}-moved-${of.moves}`;
  }

  return {
    open: (process) => ({
      name: 'simulation',
      discover: () =>
        process.call('discover', () => {
          if (faults.strikes('process', 'sourceFails')) {
            return Promise.reject(new Mk8sError('Cannot read the kubeconfig: it is being written', { code: 'config' }));
          }
          return Promise.resolve({ candidates: candidates(process), problems: [] });
        }),
    }),
    move(cluster) {
      const found = entry(cluster);
      rename(found);
      if (found.alias !== undefined) found.alias = aliasOf(found.name);
    },
    moveAway(cluster, how) {
      const found = entry(cluster);
      cluster.closeAddress(addressOf(found.name), how);
      rename(found);
    },
    alias(cluster) {
      const found = entry(cluster);
      found.alias = found.alias === undefined ? aliasOf(found.name) : undefined;
    },
    hide(cluster) {
      const found = entry(cluster);
      found.hidden = !found.hidden;
    },
    calm() {
      for (const each of listed) each.hidden = false;
    },
  };
}

function aliasOf(name: string): string {
  return `${name}-alias`;
}

function addressOf(context: string): string {
  return `https://${context}:6443`;
}

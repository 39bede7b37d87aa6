// The life of a soak's objects: created (half of them under the name of one that was deleted), changed, deleted; their
// number stays about the same. The same seed makes the same load.
import type { SoakCluster, SoakObject } from './soak-cluster.ts';
import { soakNamespaces } from './soak-cluster.ts';
import { soakResources, soakSpec, soakStatus } from './soak-objects.ts';

export interface SoakWorkload {
  /** Creates objects until there are as many as there shall be. */
  fill(): Promise<void>;
  /** One change; nothing where the server does not take it. */
  change(): Promise<void>;
  /** Changes that were taken. */
  readonly written: number;
}

const MOST_DELETED = 100;

export function soakWorkload(cluster: SoakCluster, objects: number, random: () => number): SoakWorkload {
  const members: SoakObject[] = [];
  /** Lately deleted. */
  const deleted: SoakObject[] = [];
  let written = 0;
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

  async function create(): Promise<void> {
    const resource = pick(soakResources);
    const namespace = pick(soakNamespaces);
    const name = `${resource.kind.toLowerCase()}-${Math.floor(random() * 2 ** 48).toString(36)}`;
    const member = (random() < 0.5 ? deleted.pop() : undefined) ?? { ...resource, namespace, name };
    await cluster.create(member, {
      apiVersion: `${member.group}/v1`,
      kind: member.kind,
      metadata: {
        name: member.name,
        namespace: member.namespace,
        labels: { app: member.name, team: member.namespace },
      },
      spec: soakSpec(random, Date.now()),
    });
    members.push(member);
  }

  async function remove(): Promise<void> {
    const index = Math.floor(random() * members.length);
    const member = members[index];
    const last = members.pop();
    if (member === undefined || last === undefined) return;
    if (last !== member) members[index] = last;
    await cluster.delete(member);
    deleted.push(member);
    if (deleted.length > MOST_DELETED) deleted.shift();
  }

  function update(): Promise<void> {
    const now = Date.now();
    return cluster.patch(
      pick(members),
      random() < 0.5 ? { spec: soakSpec(random, now) } : { status: soakStatus(random, now) },
    );
  }

  return {
    async fill() {
      while (members.length < objects) await create();
    },
    async change() {
      const chance = random();
      const few = members.length < objects * 0.9;
      const many = members.length > objects * 1.1;
      try {
        if (few || (chance < 0.06 && !many)) await create();
        else if (chance < 0.12) await remove();
        else await update();
        written += 1;
      } catch {
        // The server is away, as a soak wants it now and then; what it holds in the end is asked from itself.
      }
    },
    get written() {
      return written;
    },
  };
}

// The life of a sandbox cluster: objects that are created, changed (spec, status, labels) and deleted, in a sequence
// that a seed determines.
import { setImmediate as breathe } from 'node:timers/promises';
import type { Client, ObjectRef } from './client.ts';
import { timestamp } from './cluster.ts';
import { definitionOf, type FleetResource, fleetResources } from './fleet-definitions.ts';
import { SeededRandom } from './random.ts';
import { annotationsOf, labelsOf, nameOf, specOf, statusOf, teams } from './workload-objects.ts';

export interface WorkloadOptions {
  readonly client: Client;
  readonly seed: number;
  /** How many objects there are to be, more or less. */
  readonly objects: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** An object of the workload. */
interface Member extends ObjectRef {
  readonly resource: FleetResource;
  readonly namespace: string;
  readonly name: string;
}

const definitions = { group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions' };

export class Workload {
  readonly #random: SeededRandom;
  readonly #objects: number;
  readonly #now: () => number;
  /** The people, by GitOps; and the controllers, by status. */
  readonly #deployer: Client;
  readonly #controller: Client;
  #members: Member[] = [];
  #number = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ client, seed, objects, now }: WorkloadOptions) {
    this.#random = new SeededRandom(seed);
    this.#objects = objects;
    this.#now = now;
    this.#deployer = client.as('argocd-controller');
    this.#controller = client.as('gateway-controller');
  }

  /** Creates what is missing: definitions, namespaces, objects. Takes over what an earlier process left. */
  async prepare(): Promise<void> {
    await this.#define();
    for (const name of teams) {
      const ref = { group: '', plural: 'namespaces', name };
      if (!this.#deployer.has(ref)) {
        this.#deployer.create(
          { group: '', plural: 'namespaces' },
          { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
        );
      }
    }
    this.#members = fleetResources.flatMap((resource) =>
      this.#deployer
        .list(resource)
        .map(({ metadata }) => ({ ...refOf(resource), namespace: metadata.namespace ?? '', name: metadata.name })),
    );
    this.#number = Math.max(0, ...this.#members.map(({ name }) => Number(name.split('-').at(-1)) || 0));
    while (this.#members.length < this.#objects) {
      this.#create();
      if (this.#members.length % 200 === 0) await breathe();
    }
  }

  /** Makes this many changes. */
  change(count = 1): void {
    for (let made = 0; made < count; made++) this.#step();
  }

  /** Keeps changing, `rate` times a second. */
  run(rate: number): void {
    this.pause();
    if (rate <= 0) return;
    const tick = Math.max(20, 1000 / rate);
    let due = 0;
    this.#timer = setInterval(() => {
      due += (rate * tick) / 1000;
      this.change(Math.floor(due));
      due -= Math.floor(due);
    }, tick);
  }

  pause(): void {
    clearInterval(this.#timer);
  }

  #step(): void {
    const chance = this.#random.next();
    const few = this.#members.length < this.#objects * 0.9;
    const many = this.#members.length > this.#objects * 1.1;
    if (this.#members.length === 0 || few || (chance < 0.08 && !many)) this.#create();
    else if (chance < 0.15 || many) this.#delete();
    else if (chance < 0.35) this.#changeSpec();
    else if (chance < 0.45) this.#relabel();
    else this.#changeStatus();
  }

  #create(): void {
    const random = this.#random;
    const resource = random.pick(fleetResources);
    const namespace = random.pick(teams);
    const name = nameOf(random, ++this.#number);
    const member = { ...refOf(resource), namespace, name };
    this.#deployer.create(member, {
      apiVersion: `${resource.group}/${resource.versions[0]}`,
      kind: resource.kind,
      metadata: { name, namespace, labels: labelsOf(random, name), annotations: annotationsOf(random) },
      spec: specOf(resource, random, namespace, name),
    });
    this.#members.push(member);
  }

  #delete(): void {
    const index = this.#random.between(0, this.#members.length - 1);
    const [member] = this.#members.splice(index, 1);
    if (member !== undefined && this.#deployer.has(member)) this.#deployer.delete(member);
  }

  #changeSpec(): void {
    const member = this.#pick();
    if (member === undefined) return;
    const spec = specOf(member.resource, this.#random, member.namespace, member.name);
    this.#deployer.patch(member, { metadata: { annotations: annotationsOf(this.#random) }, spec });
  }

  #relabel(): void {
    const member = this.#pick();
    if (member !== undefined)
      this.#deployer.patch(member, { metadata: { labels: labelsOf(this.#random, member.name) } });
  }

  #changeStatus(): void {
    const member = this.#pick();
    if (member === undefined) return;
    const generation = this.#controller.get(member)?.metadata.generation ?? 1;
    const status = statusOf(member.resource, this.#random, generation, timestamp(this.#now()));
    this.#controller.patch(member, { status }, 'status');
  }

  /** One that is still there: others may delete objects too, and whole definitions or namespaces. */
  #pick(): Member | undefined {
    while (this.#members.length > 0) {
      const index = this.#random.between(0, this.#members.length - 1);
      const member = this.#members[index];
      if (member !== undefined && this.#deployer.serves(member.group, member.plural) && this.#deployer.has(member)) {
        return member;
      }
      this.#members.splice(index, 1);
    }
    return undefined;
  }

  async #define(): Promise<void> {
    for (const resource of fleetResources) {
      const name = `${resource.plural}.${resource.group}`;
      if (!this.#deployer.has({ ...definitions, name })) this.#deployer.create(definitions, definitionOf(resource));
    }
    while (!fleetResources.every(({ group, plural }) => this.#deployer.serves(group, plural))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function refOf(resource: FleetResource): { resource: FleetResource; group: string; plural: string } {
  return { resource, group: resource.group, plural: resource.plural };
}

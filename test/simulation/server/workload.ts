// What people and controllers write: creations, changes of spec, status or labels only, deletions, the same name again.
import type { Dice } from '../random.ts';
import { managers, newUid, timestamp } from './definitions.ts';
import { groupVersion, type SimObject, type SimResource } from './sim-object.ts';
import type { Store, Table } from './store.ts';

/** Namespaces and names where the order of `team/x` and `team-a/x` as bytes is not that of their parts. */
const namespaces = ['team', 'team-a', 'team-b', 'team.x', 'team0', 'a'];
const words = ['w', 'w-1', 'w.1', 'w0', 'x', 'web', 'web-0', 'web.example', 'z'];

/** Texts as Go's encoder escapes them (KUBERNETES 27); some try to mislead a scanner of bytes. */
const notes = [
  'plain',
  '',
  'ďábelské ódy 🦄 \\u2029 \\u003c\\u0026\\u003e',
  '\\"managedFields\\":[{\\"manager\\":\\"x\\"}],',
  '}]}\\\\',
  'line\\nline\\ttab\\\\\\"',
  '中文 e\u0301 \\u0000',
  '{\\"resourceVersion\\":\\"999999\\"}',
];

export interface Workload {
  /** One write, or none where nothing fits. */
  write(table: Table): void;
  create(table: Table): void;
  /** Deleted and made again under the same name: another uid. */
  recreate(table: Table): boolean;
  /** Another state of this object. */
  change(table: Table, object: SimObject): void;
}

/** `limit`: objects of a resource, at most. */
export function createWorkload(store: Store, dice: Dice, now: () => number, limit: number): Workload {
  let count = 0;

  function fresh(resource: SimResource, namespace: string, name: string): Omit<SimObject, 'rv'> {
    return {
      resource,
      namespace,
      name,
      uid: newUid(dice),
      generation: resource.origin === 'built-in' ? 0 : 1,
      created: timestamp(now()),
      labels: labels(),
      managed: managed(resource),
      body: body(resource),
    };
  }

  function labels(): Record<string, string> {
    return dice.chance(0.4) ? {} : { tier: dice.pick(['gold', 'silver', 'bronze']) };
  }

  function managed(resource: SimResource): string {
    if (dice.chance(0.3)) return '';
    return managers(
      now(),
      groupVersion(resource, resource.versions[0] ?? 'v1'),
      dice.pick(['kubectl', 'argocd', 'operator']),
    );
  }

  function body(resource: SimResource): string {
    count += 1;
    if (resource.origin === 'built-in') {
      const secret = Buffer.from(`PLANTED-SECRET-${count}`).toString('base64');
      return `"data":{"password":"${secret}"}${resource.kind === 'Secret' ? ',"type":"Opaque"' : ''}`;
    }
    const padding = dice.chance(0.03) ? `,"padding":"${'0123456789abcdef'.repeat(1 + dice.int(200))}"` : '';
    const status = dice.chance(0.3)
      ? `,"status":{"managedFields":[],"phase":"${dice.pick(['Ready', 'Pending'])}"}`
      : '';
    return `"spec":{"note":"${dice.pick(notes)}"${padding},"size":${count}}${status}`;
  }

  function create(table: Table): void {
    const { resource, objects } = table;
    const namespace = resource.namespaced ? dice.pick(namespaces) : '';
    const name = `${dice.pick(words)}${dice.chance(0.5) ? '' : `-${dice.int(30)}`}`;
    if (!objects.has(`${namespace}/${name}`)) store.put(table, fresh(resource, namespace, name));
  }

  function change(table: Table, object: SimObject): void {
    const { resource } = table;
    switch (dice.int(5)) {
      // Only who wrote last, and when: a change that alters nothing.
      case 0:
        store.put(table, { ...object, managed: managers(now(), groupVersion(resource, 'v1'), 'controller') });
        return;
      case 1:
        store.put(table, { ...object, labels: labels() });
        return;
      default:
        store.put(table, {
          ...object,
          generation: object.generation + (object.generation > 0 ? 1 : 0),
          managed: managed(resource),
          body: body(resource),
        });
    }
  }

  function remove(table: Table, object: SimObject): void {
    // With a finalizer it is marked first, and gone later.
    if (object.deleting === undefined && dice.chance(0.2)) {
      store.put(table, { ...object, deleting: timestamp(now()), generation: object.generation + 1 });
    } else store.remove(table, object);
  }

  function any({ objects }: Table): SimObject | undefined {
    return objects.size === 0 ? undefined : [...objects.values()][dice.int(objects.size)];
  }

  return {
    create,
    change,
    write(table) {
      const object = any(table);
      const kind = dice.next();
      if (kind < 0.1) store.skip();
      else if (object === undefined || (kind < 0.35 && table.objects.size < limit)) create(table);
      else if (object.deleting !== undefined || kind > 0.85) remove(table, object);
      else change(table, object);
    },
    recreate(table) {
      const object = any(table);
      if (object === undefined) return false;
      store.remove(table, object);
      store.put(table, fresh(table.resource, object.namespace, object.name));
      return true;
    },
  };
}

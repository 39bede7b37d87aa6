// A sandbox cluster under a soak; written to in its own process, which costs least.
import { setTimeout as delay } from 'node:timers/promises';
import { startSandbox } from '../lib/sandbox/sandbox.ts';
import { type SoakCluster, soakNamespaces } from './soak-cluster.ts';
import { soakDefinition, soakResources } from './soak-objects.ts';

const definitions = { group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions' };
/** Events kept of each resource; fewer than in production, so that the servers' process stays small. */
const HISTORY = 2000;

export async function sandboxCluster(name: string): Promise<SoakCluster> {
  const { client, control, ...sandbox } = await startSandbox({ name, historyLimit: HISTORY });
  for (const namespace of soakNamespaces) {
    const metadata = { name: namespace };
    client.create({ group: '', plural: 'namespaces' }, { apiVersion: 'v1', kind: 'Namespace', metadata });
  }
  for (const resource of soakResources) client.create(definitions, soakDefinition(resource));
  while (!soakResources.every(({ group, plural }) => client.serves(group, plural))) await delay(5);
  const deployer = client.as('deployer');
  const controller = client.as('controller');
  return {
    name,
    url: sandbox.url,
    token: sandbox.token,
    ca: sandbox.ca,
    uid: sandbox.uid,
    async create(at, object) {
      deployer.create(at, object as never);
    },
    async patch(at, change) {
      if ('spec' in change) deployer.patch(at, change as never);
      else controller.patch(at, change as never, 'status');
    },
    async delete(at) {
      deployer.delete(at);
    },
    objects: async () =>
      soakResources.flatMap(({ group, plural }) =>
        client.list({ group, plural }).map((object) => ({ resource: `${plural}.${group}`, object })),
      ),
    async drop() {
      control.drop();
    },
    async endWatches() {
      control.endWatches();
    },
    async gone() {
      control.drop();
      control.compact();
    },
    restart: (down) => control.restart({ down }),
    stop: () => sandbox.stop(),
  };
}

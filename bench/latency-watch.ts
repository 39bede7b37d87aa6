// The peer of the latency benchmark: `@kubernetes/client-node`'s Watch in a process of its own, which sees each change and
// keeps nothing. Says `watching`, and on request what it saw.
import { KubeConfig, type KubernetesObject, Watch } from '@kubernetes/client-node';
import type { ClusterEndpoint } from '../test/support/cluster-client.ts';
import { resourcePath } from '../test/support/crd.ts';
import { RESOURCE, Sightings } from './latency-stamps.ts';

process.on('message', (message: ClusterEndpoint | 'report') => {
  if (message === 'report') process.send?.(sightings.latencies);
  else void start(message);
});
process.on('disconnect', () => process.exit(0));

const sightings = new Sightings();

async function start({ url, token, ca }: ClusterEndpoint): Promise<void> {
  const config = new KubeConfig();
  const caData = Buffer.from(ca).toString('base64');
  config.loadFromClusterAndUser({ name: 'bench', server: url, caData, skipTLSVerify: false }, { name: 'bench', token });
  let told = false;
  const seen = (_type: string, object: KubernetesObject & { spec?: { stamp?: string } }): void => {
    sightings.see(`"stamp":"${object.spec?.stamp ?? ''}"`);
    if (!told) process.send?.('watching');
    told = true;
  };
  await new Watch(config).watch(resourcePath(RESOURCE), {}, seen, (error: unknown) => {
    process.stderr.write(`client-node's watch ended: ${String(error)}\n`);
    process.exit(1);
  });
}

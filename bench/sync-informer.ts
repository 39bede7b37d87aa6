// The other side: `@kubernetes/client-node`'s informer, which keeps the collection in memory and nothing on disk.
// Argument: the server's URL. Prints objects, milliseconds, peak memory.
import {
  CustomObjectsApi,
  KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
} from '@kubernetes/client-node';

const [server = ''] = process.argv.slice(2);
const config = new KubeConfig();
config.loadFromClusterAndUser({ name: 'bench', server, skipTLSVerify: true }, { name: 'bench' });
const api = config.makeApiClient(CustomObjectsApi);
const resource = { group: 'gateway.networking.k8s.io', version: 'v1', plural: 'httproutes' };
const list = async (): Promise<KubernetesListObject<KubernetesObject>> =>
  (await api.listCustomObjectForAllNamespaces({
    ...resource,
    resourcePlural: resource.plural,
  })) as KubernetesListObject<KubernetesObject>;
const startedAt = performance.now();
const informer = makeInformer(config, `/apis/${resource.group}/${resource.version}/${resource.plural}`, list);
let objects = 0;
informer.on('add', () => (objects += 1));
await informer.start();
const milliseconds = performance.now() - startedAt;
const peakBytes = process.resourceUsage().maxRSS * 1024;
process.stdout.write(`${JSON.stringify({ objects, milliseconds, peakBytes })}\n`);
process.exit(0);

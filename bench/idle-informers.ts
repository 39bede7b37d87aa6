// The peer of the idle benchmark: an informer of `@kubernetes/client-node` for each collection, all in this process.
// Arguments: the kubeconfig, resources of each cluster. Says `ready` when all have their first list.
import {
  CustomObjectsApi,
  KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
} from '@kubernetes/client-node';

const [file = '', resources = '0'] = process.argv.slice(2);
const config = new KubeConfig();
config.loadFromFile(file);
const starting: Promise<void>[] = [];
for (const { name } of config.getContexts()) {
  const own = new KubeConfig();
  own.loadFromFile(file);
  own.setCurrentContext(name);
  const api = own.makeApiClient(CustomObjectsApi);
  for (let n = 0; n < Number(resources); n++) {
    const resource = { group: 'bench.example.com', version: 'v1', plural: `things${n}`, resourcePlural: `things${n}` };
    const list = async (): Promise<KubernetesListObject<KubernetesObject>> =>
      (await api.listCustomObjectForAllNamespaces(resource)) as KubernetesListObject<KubernetesObject>;
    const informer = makeInformer(own, `/apis/${resource.group}/v1/${resource.plural}`, list);
    // It stops for good on most errors: it is started again, as its users do.
    informer.on('error', () => void setTimeout(() => void informer.start().catch(() => {}), 1000));
    starting.push(informer.start());
  }
}
await Promise.all(starting);
process.send?.('ready');
process.on('disconnect', () => process.exit(0));

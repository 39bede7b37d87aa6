// The peer: `@kubernetes/client-node`'s Watch, which splits by readline and parses each line.
import { KubeConfig, Watch } from '@kubernetes/client-node';
import { readOnDemand, type Target } from './decode-target.ts';

async function read({ url, ca }: Target): Promise<number> {
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    {
      name: 'bench',
      server: url,
      skipTLSVerify: ca === undefined, // It refuses plain HTTP without.
      ...(ca === undefined ? {} : { caData: Buffer.from(ca).toString('base64') }),
    },
    { name: 'bench' },
  );
  let events = 0;
  await new Promise<void>((resolve, reject) => {
    new Watch(config)
      .watch(
        '/watch',
        {},
        () => events++,
        (error: unknown) => (error === null || error === undefined ? resolve() : reject(error as Error)),
      )
      .catch(reject);
  });
  return events;
}

readOnDemand(read);

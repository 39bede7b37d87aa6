// Our side: our transport and decoder. Type, key, uid, resourceVersion of every event, managedFields cut out.
import { openApiServer } from '../lib/adapters/kubernetes/transport.ts';
import { decodeWatch } from '../lib/decode/watch-stream.ts';
import { readOnDemand, type Target } from './decode-target.ts';

async function read({ url, ca }: Target): Promise<number> {
  const server = openApiServer({ server: new URL(url), ...(ca === undefined ? {} : { tls: { ca: { pem: ca } } }) });
  let events = 0;
  const { body } = await server.request({ path: '/watch', query: { watch: true } });
  for await (const batch of decodeWatch(body, { ownsChunks: true })) {
    for (const line of batch) {
      if (line.kind === 'object' && line.object.uid !== '' && line.object.object.byteLength > 0) events++;
    }
  }
  await server.close();
  return events;
}

readOnDemand(read);

// Our side of lists: our transport and decoder, one page after the other.
import { openApiServer } from '../lib/adapters/kubernetes/transport.ts';
import { decodeList } from '../lib/decode/list-stream.ts';
import { readOnDemand, type Target } from './decode-target.ts';

async function read({ url, ca, pages }: Target): Promise<number> {
  const server = openApiServer({ server: new URL(url), ...(ca === undefined ? {} : { tls: { ca: { pem: ca } } }) });
  let objects = 0;
  for (let page = 0; page < pages; page++) {
    const { body } = await server.request({ path: '/list', query: { page } });
    for await (const part of decodeList(body, { ownsChunks: true })) {
      if (part.kind !== 'objects') continue;
      for (const object of part.objects) if (object.uid !== '' && object.object.byteLength > 0) objects++;
    }
  }
  await server.close();
  return objects;
}

readOnDemand(read);

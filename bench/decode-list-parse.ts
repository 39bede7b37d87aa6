// The peer of lists: node:http with one kept connection, each page read whole and parsed. What client libraries do beside
// (client-node opens a new connection for each page) comes on top.
import { Agent as HttpAgent, get as httpGet, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, get as httpsGet } from 'node:https';
import { readOnDemand, type Target } from './decode-target.ts';

async function read({ url, ca, pages }: Target): Promise<number> {
  const secure = ca !== undefined;
  const agent = secure ? new HttpsAgent({ keepAlive: true, ca }) : new HttpAgent({ keepAlive: true });
  const get = (path: string, done: (message: IncomingMessage) => void): void => {
    const options: RequestOptions = { agent };
    (secure ? httpsGet : httpGet)(`${url}${path}`, options, done).on('error', (error) => {
      throw error;
    });
  };
  let objects = 0;
  for (let page = 0; page < pages; page++) {
    const message = await new Promise<IncomingMessage>((resolve) => get(`/list?page=${page}`, resolve));
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const { items } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { items: { metadata: { uid: string } }[] };
    for (const { metadata } of items) if (metadata.uid !== '') objects++;
  }
  agent.destroy();
  return objects;
}

readOnDemand(read);

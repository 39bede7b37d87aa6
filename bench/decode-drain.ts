// The floor: node's own HTTP client, each chunk read and dropped.
import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { readOnDemand, type Target } from './decode-target.ts';

async function read({ url, ca }: Target): Promise<number> {
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = ca === undefined ? httpGet(`${url}/watch`, resolve) : httpsGet(`${url}/watch`, { ca }, resolve);
    request.on('error', reject);
  });
  let bytes = 0;
  message.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await new Promise((resolve, reject) => message.on('end', resolve).on('error', reject));
  return bytes;
}

readOnDemand(read);

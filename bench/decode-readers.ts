// The sides of the decode benchmark: each reads one watch to its end and says how many events it saw.

import type { IncomingMessage } from 'node:http';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { KubeConfig, Watch } from '@kubernetes/client-node';
import { openApiServer } from '../lib/adapters/kubernetes/transport.ts';
import { decodeWatch } from '../lib/decode/watch-stream.ts';

export interface Target {
  /** `http://127.0.0.1:PORT` or https. */
  readonly url: string;
  /** PEM file of the certificate, for https. */
  readonly ca: string | undefined;
  /** The same as text. */
  readonly caText: string | undefined;
}

/** Our transport and decoder: type, key, uid, resourceVersion of every event, managedFields cut out. */
export async function readOurs(target: Target): Promise<number> {
  const server = openApiServer({
    server: new URL(target.url),
    ...(target.ca === undefined ? {} : { tls: { ca: { file: target.ca } } }),
  });
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

/** `@kubernetes/client-node`'s Watch: one JSON.parse a line. */
export async function readClientNode(target: Target): Promise<number> {
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    {
      name: 'bench',
      server: target.url,
      skipTLSVerify: target.caText === undefined, // It refuses plain HTTP without.
      ...(target.caText === undefined ? {} : { caData: Buffer.from(target.caText).toString('base64') }),
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

/** The floor: node's http client, each chunk read and dropped. Returns bytes. */
export async function drain(target: Target): Promise<number> {
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const request =
      target.caText === undefined
        ? httpGet(`${target.url}/watch`, resolve)
        : httpsGet(`${target.url}/watch`, { ca: target.caText }, resolve);
    request.on('error', reject);
  });
  let bytes = 0;
  message.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await new Promise((resolve, reject) => message.on('end', resolve).on('error', reject));
  return bytes;
}

// The floor of a list: its pages read one after the other with plain node:http, and dropped but for the continue token.
// Argument: the server's URL. Prints pages.
import { get, type IncomingMessage } from 'node:http';

const [server = ''] = process.argv.slice(2);
const collection = '/apis/gateway.networking.k8s.io/v1/httproutes';
/** The token stands at the end of a custom resource's page. */
const END_BYTES = 512;

async function page(token: string): Promise<string> {
  const query = new URLSearchParams({ limit: '500', ...(token === '' ? {} : { continue: token }) });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${server}${collection}?${query.toString()}`, resolve).on('error', reject);
  });
  let end: Buffer = Buffer.alloc(0);
  await new Promise<void>((resolve, reject) => {
    response.on('data', (chunk: Buffer) => {
      end = chunk.length >= END_BYTES ? chunk.subarray(-END_BYTES) : Buffer.concat([end, chunk]).subarray(-END_BYTES);
    });
    response.on('end', resolve);
    response.on('error', reject);
  });
  return /"continue":"([^"]*)"/.exec(end.toString('latin1'))?.[1] ?? '';
}

let pages = 0;
let token = '';
do {
  token = await page(token);
  pages += 1;
} while (token !== '');
process.stdout.write(`${JSON.stringify({ pages })}\n`);
process.exit(0);

// The bytes of an HTTP answer, framed and compressed in any way, through the transport: the body as the book has it, or
// an error; a body that was cut off is never taken for whole (promise 1).
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { readText } from '../../../lib/adapters/kubernetes/rest.ts';
import { openApiServer } from '../../../lib/adapters/kubernetes/transport.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import type { ApiServer } from '../../../lib/ports/api-server.ts';
import { type LoopbackServer, serveTcp } from '../../support/loopback-server.ts';
import { below, type Random } from '../mutate.ts';
import { type FuzzTarget, must } from '../target.ts';

let server: LoopbackServer | undefined;
let api: ApiServer | undefined;
let answer: Buffer = Buffer.alloc(0);

export const httpAnswer: FuzzTarget = {
  name: 'http-answer',
  cases: 700,
  words: [
    'HTTP/1.1 200 OK\r\n',
    'content-length: 5\r\n',
    'transfer-encoding: chunked\r\n',
    'content-encoding: gzip\r\n',
    '\r\n\r\n',
    '0\r\n\r\n',
    '5\r\nhello\r\n',
    '\u001f\u008b',
    'connection: close\r\n',
  ],
  generate,
  check,
  async close() {
    await api?.close();
    await server?.[Symbol.asyncDispose]();
  },
};

/** The input's first byte says how the rest is sent; 7 and above: it is the answer, headers and all. */
async function check(input: Buffer): Promise<string> {
  server ??= await serveTcp((socket) => {
    socket.once('data', () => socket.end(answer));
  });
  api ??= openApiServer({ server: server.url, headersTimeoutMs: 20_000 });
  const way = (input[0] ?? 0) % 8;
  const body = input.subarray(1);
  answer = way === 7 ? body : framed(body, way);
  try {
    const response = await api.request({ path: '/', headers: { connection: 'close' } });
    const text = await readText(response);
    if (way === 7) return 'read';
    must(way % 3 !== 2, 'a body that was cut off was taken for whole');
    const expected = way >= 3 ? gunzipped(body) : body;
    must(expected !== undefined, 'a body that is no gzip was taken for one');
    must(text === expected.toString('utf8').replace(/^\ufeff/, ''), 'the body is another');
    return 'read';
  } catch (error) {
    if (!(error instanceof Mk8sError)) throw error;
    must(
      ['interrupted', 'protocol', 'unreachable'].includes(error.code),
      `it failed as ${error.code}: ${error.message}`,
    );
    const whole = way % 3 !== 2 && (way < 3 || (way < 6 && gunzipped(body) !== undefined));
    must(way > 5 || !whole, `a whole body was refused: ${error.message}`);
    return 'refused';
  }
}

/** 0 to 2 plain, 3 to 5 as gzip: with a length, in chunks, in chunks without an end. 6: with a length that is too long. */
function framed(body: Buffer, way: number): Buffer {
  const gzip = way >= 3 ? 'content-encoding: gzip\r\n' : '';
  const head = `HTTP/1.1 200 OK\r\n${gzip}connection: close\r\n`;
  if (way % 3 === 0) {
    return Buffer.concat([Buffer.from(`${head}content-length: ${body.length + (way === 6 ? 3 : 0)}\r\n\r\n`), body]);
  }
  const middle = body.length >> 1;
  const chunks = [body.subarray(0, middle), body.subarray(middle)].filter((chunk) => chunk.length > 0);
  const parts = chunks.flatMap((chunk) => [
    Buffer.from(`${chunk.length.toString(16)}\r\n`),
    chunk,
    Buffer.from('\r\n'),
  ]);
  const end = Buffer.from(way % 3 === 1 ? '0\r\n\r\n' : '');
  return Buffer.concat([Buffer.from(`${head}transfer-encoding: chunked\r\n\r\n`), ...parts, end]);
}

function gunzipped(body: Buffer): Buffer | undefined {
  try {
    return gunzipSync(body, { finishFlush: constants.Z_FINISH });
  } catch {
    return undefined;
  }
}

function generate(random: Random): Buffer {
  const way = below(random, 8);
  const text = Buffer.from(
    Array.from({ length: below(random, 2000) }, () => String.fromCharCode(32 + below(random, 95))).join(''),
  );
  if (way === 7)
    return Buffer.concat([Buffer.from([way]), framed(random() < 0.5 ? gzipSync(text) : text, below(random, 7))]);
  const whole = way >= 3 ? gzipSync(text) : text;
  const body = random() < 0.3 ? whole.subarray(0, below(random, whole.length + 1)) : whole;
  return Buffer.concat([Buffer.from([way]), body]);
}

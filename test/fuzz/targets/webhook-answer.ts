// The bytes that a webhook answers: acknowledged only by a 2xx, a dead letter only for a 4xx, and else an error that says
// whether to try again.
import { webhookSink } from '../../../lib/adapters/http/webhook-sink.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import type { EventSink } from '../../../lib/ports/event-sink.ts';
import { type LoopbackServer, serveTcp } from '../../support/loopback-server.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { pick } from '../../support/seeded-random.ts';
import { widgetRevision } from '../../support/sink-revision.ts';
import { below, type Random } from '../mutate.ts';
import { type FuzzTarget, must } from '../target.ts';

let server: LoopbackServer | undefined;
let sink: EventSink | undefined;
let answer: Buffer = Buffer.alloc(0);
let refused = 0;

export const webhookAnswer: FuzzTarget = {
  name: 'webhook-answer',
  cases: 700,
  words: [
    'HTTP/1.1 204 No Content\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 500 X\r\n',
    'retry-after: 1e9\r\n',
    'location: http://x/\r\n',
    '\r\n\r\n',
    'content-length: 99\r\n',
    'upgrade: x\r\nconnection: upgrade\r\n',
  ],
  generate: (random) => Buffer.from(randomAnswer(random)),
  check,
  async close() {
    await sink?.close();
    await server?.[Symbol.asyncDispose]();
  },
};

async function check(input: Buffer): Promise<string> {
  server ??= await serveTcp((socket) => {
    socket.once('data', () => socket.end(answer));
  });
  sink ??= webhookSink({
    url: server.url.href,
    clock: createManualClock(),
    deadLetters: { put: async () => void (refused += 1), list: async () => [], count: async () => refused },
  });
  answer = input;
  refused = 0;
  try {
    await sink.publish([widgetRevision(1, 'a')], new AbortController().signal);
  } catch (error) {
    if (!(error instanceof Mk8sError)) throw error;
    must(refused === 0, 'it is a dead letter and an error');
    const { retryAfterMs } = error;
    must(
      retryAfterMs === undefined || (Number.isFinite(retryAfterMs) && retryAfterMs >= 0),
      `it waits for ${retryAfterMs} ms`,
    );
    return error.retryable ? 'again' : 'refused';
  }
  // Interim answers (1xx) may precede the one that counts.
  const says = (digit: number): boolean => new RegExp(`HTTP/1\\.[01] ${digit}\\d\\d`).test(input.toString('latin1'));
  must(
    says(refused > 0 ? 4 : 2),
    refused > 0 ? 'a dead letter that nobody refused' : 'a change was taken for acknowledged',
  );
  return refused > 0 ? 'dead letter' : 'acknowledged';
}

function randomAnswer(random: Random): string {
  const status = pick(random, [200, 202, 204, 301, 400, 401, 404, 408, 413, 422, 425, 429, 500, 503, 101, 100, 999, 0]);
  const retry =
    random() < 0.4
      ? `retry-after: ${pick(random, ['1', '0', '-1', '99999999999999999999', 'Fri, 31 Dec 2027 23:59:59 GMT', 'soon', '1.5'])}\r\n`
      : '';
  const body = 'x'.repeat(below(random, random() < 0.9 ? 50 : 100_000));
  return `HTTP/1.1 ${status} Said\r\n${retry}connection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

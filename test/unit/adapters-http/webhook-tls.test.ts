import { expect, test } from 'vitest';
import { webhookSink } from '../../../lib/adapters/http/webhook-sink.ts';
import { systemClock } from '../../../lib/async/system-clock.ts';
import { createAuthority } from '../../support/certificates.ts';
import { serveHttps } from '../../support/loopback-server.ts';
import { memoryDeadLetters } from '../../support/memory-tables.ts';
import { widgetRevision } from '../../support/sink-revision.ts';

const authority = createAuthority();
const never = new AbortController().signal;

async function publishTo(names: readonly string[], trusted: { ca?: string }): Promise<number> {
  const { certificate: cert, key } = authority.issue({ commonName: 'webhook', names });
  let received = 0;
  await using server = await serveHttps({ cert, key }, (request, response) => {
    received += 1;
    request.resume().on('end', () => response.writeHead(204).end());
  });
  const sink = webhookSink({
    url: server.url.href,
    deadLetters: memoryDeadLetters(),
    clock: systemClock,
    ...trusted,
  });
  try {
    await sink.publish([widgetRevision(1, 'a')], never);
  } finally {
    await sink.close();
  }
  return received;
}

test('a webhook behind TLS gets changes where its certificate is trusted', async () => {
  expect(await publishTo(['127.0.0.1'], { ca: authority.certificate })).toBe(1);
});

test.each([
  ['an authority that is not trusted', ['127.0.0.1'], {}],
  ['another host', ['example.com'], { ca: authority.certificate }],
])('a certificate of %s fails for good, in plain words', async (_, names, trusted) => {
  await expect(publishTo(names, trusted)).rejects.toMatchObject({
    code: 'tls',
    retryable: false,
    message: expect.stringContaining('certificate is not accepted'),
  });
});

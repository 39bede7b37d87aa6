// Whose tokens reach Pub/Sub, over TLS: gRPC sends none without it.
import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { Token } from '../../../lib/model/token.ts';
import type { EventSink } from '../../../lib/ports/event-sink.ts';
import type { TokenSource } from '../../../lib/ports/token-source.ts';
import { createAuthority } from '../../support/certificates.ts';
import { type FakePubsub, startFakePubsub } from '../../support/fake-pubsub.ts';
import { openSinkOn, topicName } from '../../support/pubsub-sink.ts';
import { widgetRevision } from '../../support/sink-revision.ts';

const never = new AbortController().signal;
const authority = createAuthority();
// gRPC takes the file's name when it is loaded, before this file's own code, and reads it with the first connection.
const roots = vi.hoisted(() => {
  const file = `${process.getBuiltinModule('node:os').tmpdir()}/mk8s-pubsub-${process.pid}.pem`;
  process.env['GRPC_DEFAULT_SSL_ROOTS_FILE_PATH'] = file;
  return file;
});
writeFileSync(roots, authority.certificate);
afterAll(() => rmSync(roots));

const bad = { code: 16, details: 'Request had invalid authentication credentials.' };

/** Counts, so that each token can be told apart; kept until a fresh one is asked for. */
function countingTokens(): TokenSource {
  let number = 1;
  return {
    identity: 'runner@project-1',
    async get(_, { fresh } = {}) {
      if (fresh === true) number += 1;
      return new Token(`ya29.secret-${number}`, new Date(Date.now() + 3_600_000));
    },
  };
}

async function withTls(
  tokens: TokenSource,
  act: (world: { pubsub: FakePubsub; open: () => Promise<EventSink>; warned: string[] }) => Promise<void>,
): Promise<void> {
  await using pubsub = await startFakePubsub(authority.issue({ commonName: 'pubsub', names: ['localhost'] }));
  pubsub.topics.add(topicName);
  const warned: string[] = [];
  const host = pubsub.host.replace('127.0.0.1', 'localhost');
  const open = (): Promise<EventSink> =>
    openSinkOn(pubsub, { tokens, endpoint: { host, insecure: false }, warn: (sentence) => void warned.push(sentence) });
  await act({ pubsub, open, warned });
}

describe('the identity of a Pub/Sub sink', () => {
  test('is that of its tokens, for the first question and for every request', async () => {
    await withTls(countingTokens(), async ({ pubsub, open }) => {
      const sink = await open();
      await sink.publish([widgetRevision(1, 'a')], never);
      await sink.close();
      expect(pubsub.authorizations).toEqual(['Bearer ya29.secret-1', 'Bearer ya29.secret-1']);
    });
  });

  test('promise 9: a token that is refused is replaced once; then that is a problem, told with the identity and no token', async () => {
    await withTls(countingTokens(), async ({ pubsub, open }) => {
      const sink = await open();
      pubsub.fail = (method) => (method === 'Publish' ? bad : undefined);
      const failures: Mk8sError[] = [];
      for (let attempt = 0; attempt < 2; attempt += 1) {
        await sink
          .publish([widgetRevision(1, 'a')], never)
          .catch((error: unknown) => failures.push(error as Mk8sError));
      }
      expect(failures.map(({ retryable, status }) => [retryable, status])).toEqual([
        [true, 401],
        [false, 401],
      ]);
      for (const { message } of failures) {
        expect(message).toContain('as runner@project-1: 401 UNAUTHENTICATED Request had invalid');
        expect(message).not.toContain('secret');
      }
      expect(pubsub.authorizations.slice(1)).toEqual(['Bearer ya29.secret-1', 'Bearer ya29.secret-2']);
      pubsub.fail = () => undefined;
      await sink.publish([widgetRevision(1, 'a')], never);
      await sink.close();
    });
  });

  test('that has no token now fails a batch with the reason of its source, and not the start', async () => {
    const busy = new Mk8sError('Cannot get an access token from the metadata server: 503', {
      code: 'credentials',
      retryable: true,
    });
    const tokens: TokenSource = { identity: 'runner@project-1', get: () => Promise.reject(busy) };
    await withTls(tokens, async ({ open, warned }) => {
      const sink = await open();
      expect(warned).toEqual([expect.stringContaining(busy.message)]);
      await expect(sink.publish([widgetRevision(1, 'a')], never)).rejects.toBe(busy);
      await sink.close();
    });
  });

  test('that can have no token is refused at the start', async () => {
    const none = new Mk8sError('Cannot find application default credentials', { code: 'credentials' });
    const tokens: TokenSource = { identity: 'nobody', get: () => Promise.reject(none) };
    await withTls(tokens, async ({ open }) => {
      await expect(open()).rejects.toBe(none);
    });
  });
});

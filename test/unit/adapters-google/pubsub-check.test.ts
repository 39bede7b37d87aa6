// What is said of a topic before anything is published to it.
import { describe, expect, test } from 'vitest';
import { parsePubsubName } from '../../../lib/adapters/google/pubsub-name.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { denied, type FakePubsub, startFakePubsub } from '../../support/fake-pubsub.ts';
import { openSinkOn, topicName } from '../../support/pubsub-sink.ts';

/** Opens a sink and tells what came of it: the warning, the error's message, or nothing. */
async function open(
  prepare: (pubsub: FakePubsub) => void,
): Promise<{ warned: string[]; error: Mk8sError | undefined }> {
  await using pubsub = await startFakePubsub();
  prepare(pubsub);
  const warned: string[] = [];
  try {
    const sink = await openSinkOn(pubsub, { warn: (sentence) => void warned.push(sentence) });
    await sink.close();
    return { warned, error: undefined };
  } catch (error) {
    return { warned, error: error as Mk8sError };
  }
}

const refused = 'Cannot publish to Pub/Sub topic changes of project project-1 as nobody (emulator):';
const create = 'Create it: gcloud pubsub topics create changes --project project-1';
const grant =
  'Grant pubsub.topics.publish: gcloud pubsub topics add-iam-policy-binding changes --project project-1 --role roles/pubsub.publisher --member PRINCIPAL';

describe('a topic at start', () => {
  test('is fine where the identity may publish, though it may do nothing else', async () => {
    const found = await open((pubsub) => pubsub.topics.add(topicName));
    expect(found).toEqual({ warned: [], error: undefined });
  });

  test('that does not exist is said to be missing where that may be seen, with the command that makes it', async () => {
    const { error } = await open((pubsub) => pubsub.permissions.add('pubsub.topics.get'));
    expect(error).toMatchObject({ code: 'http', status: 404, retryable: false });
    expect(error?.message).toBe(`${refused} 404 NOT_FOUND Resource not found (resource=changes). ${create}`);
  });

  test('that exists and may not be published to is said to miss that permission, with the command that grants it', async () => {
    const { error } = await open((pubsub) => {
      pubsub.topics.add(topicName);
      pubsub.permissions.clear();
      pubsub.permissions.add('pubsub.topics.get');
    });
    expect(error?.message).toBe(`${refused} permission pubsub.topics.publish is missing. ${grant}`);
  });

  test('that may not even be looked at is said to be one or the other, with both commands', async () => {
    const { error } = await open((pubsub) => pubsub.permissions.clear());
    expect(error?.message).toBe(
      `${refused} it does not exist, or permission pubsub.topics.publish is missing. ${create}. ${grant}`,
    );
  });

  test('whose project has not enabled Pub/Sub is refused with the command that does', async () => {
    const { error } = await open((pubsub) => {
      pubsub.fail = () => denied('Cloud Pub/Sub API has not been used in project 1.', 'SERVICE_DISABLED');
    });
    expect(error).toMatchObject({ status: 403, reason: 'SERVICE_DISABLED' });
    expect(error?.message).toContain('Enable it: gcloud services enable pubsub.googleapis.com --project project-1');
  });

  test('is tried all the same, with a warning, where the question is not permitted or not answered now', async () => {
    for (const status of [
      denied('Request is prohibited by organization policy.'),
      { code: 14, details: 'Try later.' },
    ]) {
      const { warned, error } = await open((pubsub) => {
        pubsub.fail = () => status;
      });
      expect(error).toBeUndefined();
      expect(warned).toHaveLength(1);
      expect(warned[0]).toContain(
        'It is not known whether Pub/Sub topic changes of project project-1 can be published to; it is tried all the same. Cannot publish to',
      );
      expect(warned[0]).toContain(status.details.replace(/\.$/, ''));
    }
  });

  test('of an emulator, which does not know the question, is looked at', async () => {
    const unknown = (method: string) => (method === 'TestIamPermissions' ? { code: 12, details: '' } : undefined);
    const missing = await open((pubsub) => {
      pubsub.fail = unknown;
      pubsub.permissions.add('pubsub.topics.get');
    });
    expect(missing.error).toMatchObject({ status: 404 });
    const there = await open((pubsub) => {
      pubsub.fail = unknown;
      pubsub.permissions.add('pubsub.topics.get');
      pubsub.topics.add(topicName);
    });
    expect(there).toEqual({ warned: [], error: undefined });
  });

  test('is not asked about by a run that is stopping', async () => {
    await using pubsub = await startFakePubsub();
    const sink = await openSinkOn(pubsub, { signal: AbortSignal.abort(new Error('stopping')) });
    await sink.close();
  });
});

describe('the name of a topic', () => {
  test('has a project, of a domain perhaps, and a topic', () => {
    expect(parsePubsubName('pubsub://shop-prod/changes')).toEqual({ project: 'shop-prod', topic: 'changes' });
    expect(parsePubsubName('pubsub://example.com:shop-prod/a.b~c+d%20')).toEqual({
      project: 'example.com:shop-prod',
      topic: 'a.b~c+d%20',
    });
  });

  test.each(['pubsub://shop-prod', 'pubsub://shop-prod/ab', 'pubsub://S/changes', 'pubsub://shop-prod/goog-changes'])(
    '%s is none, and is told what one looks like',
    (text) => {
      expect(() => parsePubsubName(text)).toThrow(Mk8sError);
      expect(() => parsePubsubName(text)).toThrow(`"${text}": a Pub/Sub topic is named pubsub://PROJECT/TOPIC`);
    },
  );
});

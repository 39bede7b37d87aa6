// Whether a topic exists and may be published to, asked before anything is: an operator should read it at the start, not
// after the first change.
//
// roles/pubsub.publisher may do nothing but publish, so `topics.get` proves nothing by failing. Everybody may ask what
// they may (`testIamPermissions`); only where the answer is "nothing" is the topic looked at, to tell why.
import { untilAborted } from '../../async/until-aborted.ts';
import { Mk8sError } from '../../model/errors.ts';
import { type GoogleAttempt, googleError } from '../google-api/google-error.ts';
import type { PubsubName } from './pubsub-name.ts';
import { createTopic, grantPublisher, type PubsubTopic, publishing } from './pubsub-topic.ts';

const PUBLISH = 'pubsub.topics.publish';

/**
 * Resolves where the topic can be published to, and where that could not be found out (the check itself is not permitted,
 * or Pub/Sub does not answer now): then with a sentence for the log. Throws Mk8sError `http` otherwise, `credentials` where
 * there is no token.
 */
export async function checkPubsubTopic(
  topic: PubsubTopic,
  name: PubsubName,
  signal: AbortSignal,
): Promise<string | undefined> {
  const attempt = publishing(name, topic.identity);
  try {
    await topic.authenticate(signal);
    const granted = await untilAborted(topic.testPermissions([PUBLISH]), signal);
    if (granted.includes(PUBLISH)) return undefined;
  } catch (error) {
    // Stopping: nothing will be published.
    if (signal.aborted) return undefined;
    const failure = googleError(error, attempt);
    // Emulators don't know the question.
    return failure.status === 501 ? await look(topic, name, attempt) : doubtOf(failure, name);
  }
  throw await whyNot(topic, name, attempt);
}

/** For who may publish, existing is enough. */
async function look(topic: PubsubTopic, name: PubsubName, attempt: GoogleAttempt): Promise<string | undefined> {
  try {
    await topic.get();
    return undefined;
  } catch (error) {
    return doubtOf(googleError(error, attempt), name);
  }
}

/** What does not settle it, as a sentence; throws what does. */
function doubtOf(failure: Mk8sError, { project, topic }: PubsubName): string {
  const notPermitted = failure.status === 403 && failure.reason !== 'SERVICE_DISABLED';
  if (!failure.retryable && !notPermitted) throw failure;
  return `It is not known whether Pub/Sub topic ${topic} of project ${project} can be published to; it is tried all the same. ${failure.message}`;
}

async function whyNot(topic: PubsubTopic, name: PubsubName, attempt: GoogleAttempt): Promise<Mk8sError> {
  const told = `Cannot ${attempt.attempted} as ${attempt.identity}:`;
  try {
    await topic.get();
  } catch (error) {
    const failure = googleError(error, attempt);
    if (failure.status === 404) return failure;
    const said = `${told} it does not exist, or permission ${PUBLISH} is missing. ${createTopic(name)}. ${grantPublisher(name)}`;
    return new Mk8sError(said, { code: 'http', status: 403, reason: 'PERMISSION_DENIED' });
  }
  const said = `${told} permission ${PUBLISH} is missing. ${grantPublisher(name)}`;
  return new Mk8sError(said, { code: 'http', status: 403, reason: 'PERMISSION_DENIED' });
}

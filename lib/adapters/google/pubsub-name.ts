// How a topic is called in the configuration: `pubsub://PROJECT/TOPIC`.
import { Mk8sError } from '../../model/errors.ts';

export interface PubsubName {
  readonly project: string;
  readonly topic: string;
}

/** Project ids as Google allows them, also those of a domain (`example.com:project-1`). */
const project = String.raw`(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]`;
/** 3 to 255 characters, a letter first: https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names */
const topic = String.raw`(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}`;
const pattern = new RegExp(`^pubsub://(${project})/(${topic})$`);

/** @throws Mk8sError `config` where it is none. */
export function parsePubsubName(text: string): PubsubName {
  const [, ofProject, ofTopic] = pattern.exec(text) ?? [];
  if (ofProject === undefined || ofTopic === undefined) {
    throw new Mk8sError(
      `Cannot publish to "${text}": a Pub/Sub topic is named pubsub://PROJECT/TOPIC, with a project id and a topic of 3 to 255 letters, digits and -._~+% that begins with a letter and not with "goog"`,
      { code: 'config' },
    );
  }
  return { project: ofProject, topic: ofTopic };
}

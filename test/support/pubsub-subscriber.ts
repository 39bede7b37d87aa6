// A subscriber with message ordering, through Google's own library, on an emulator.
import { PubSub } from '@google-cloud/pubsub';
import { OAuth2Client } from 'google-auth-library';
import { type Arrivals, createArrivals } from './arrivals.ts';
import type { FeedEvent } from './materialise.ts';
import { pubsubEvent } from './pubsub-event.ts';

export interface PubsubSubscriber extends AsyncDisposable {
  /** `pubsub://project-1/TOPIC`, for a sink. */
  readonly target: string;
  readonly events: readonly FeedEvent[];
  readonly arrivals: Arrivals;
}

/** Makes a topic with a subscription and listens. Projects and topics of an emulator are isolated: take another name. */
export async function subscribeOnEmulator(host: string, topic: string): Promise<PubsubSubscriber> {
  const target = await makeTopic(host, topic);
  const events: FeedEvent[] = [];
  const arrivals = createArrivals(`the subscriber of ${topic}`);
  const listening = await listenOnEmulator(host, topic, (event) => {
    events.push(event);
    arrivals.take(event);
  });
  return { target, events, arrivals, [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose]() };
}

/** Makes a topic with a subscription `TOPIC-all`; its name as a sink. */
export async function makeTopic(host: string, topic: string): Promise<string> {
  const pubsub = open(host);
  await pubsub.createTopic(topic);
  await pubsub.topic(topic).createSubscription(`${topic}-all`, { enableMessageOrdering: true, ackDeadlineSeconds: 60 });
  await pubsub.close();
  return `pubsub://project-1/${topic}`;
}

/** Takes what comes, in the order of each key, and acknowledges it. */
export function listenOnEmulator(
  host: string,
  topic: string,
  take: (event: FeedEvent) => void,
): Promise<AsyncDisposable> {
  const pubsub = open(host);
  const subscription = pubsub.subscription(`${topic}-all`);
  subscription.on('message', (message) => {
    take(pubsubEvent(message));
    message.ack();
  });
  subscription.on('error', (error) => {
    throw error;
  });
  return Promise.resolve({
    async [Symbol.asyncDispose]() {
      await subscription.close();
      await pubsub.close();
    },
  });
}

function open(host: string): PubSub {
  // Without a client of its own it would look for a metadata server.
  const authClient = new OAuth2Client();
  return new PubSub({ projectId: 'project-1', apiEndpoint: host, emulatorMode: true, authClient });
}

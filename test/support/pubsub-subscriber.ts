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
  // Without a client of its own it would look for a metadata server.
  const pubsub = new PubSub({
    projectId: 'project-1',
    apiEndpoint: host,
    emulatorMode: true,
    authClient: new OAuth2Client(),
  });
  await pubsub.createTopic(topic);
  await pubsub.topic(topic).createSubscription(`${topic}-all`, { enableMessageOrdering: true, ackDeadlineSeconds: 60 });
  const events: FeedEvent[] = [];
  const arrivals = createArrivals(`the subscriber of ${topic}`);
  const subscription = pubsub.subscription(`${topic}-all`);
  subscription.on('message', (message) => {
    const event = pubsubEvent(message);
    events.push(event);
    arrivals.take(event);
    message.ack();
  });
  subscription.on('error', (error) => {
    throw error;
  });
  return {
    target: `pubsub://project-1/${topic}`,
    events,
    arrivals,
    async [Symbol.asyncDispose]() {
      await subscription.close();
      await pubsub.close();
    },
  };
}

// A subscriber with message ordering on Google's emulator: pulls, takes, acknowledges, and only then pulls again.
//
// Not through the library's streams: it closes one whose server says nothing for 15 seconds, and what the emulator (0.8.20)
// had given to that one comes again a minute later, after later messages of its key; Pub/Sub would hold those back. Seen
// with a publisher of nothing but numbers and an emulator that was stopped by SIGSTOP until just before those 15 seconds
// were over: of 32 keys, 7 to 20 came out of order.
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
  const listening = listenOnEmulator(host, topic, (event) => {
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

/** Takes what comes, in the order of each key, and acknowledges it. The emulator may stand still meanwhile. */
export function listenOnEmulator(host: string, topic: string, take: (event: FeedEvent) => void): AsyncDisposable {
  const subscription = `http://${host}/v1/projects/project-1/subscriptions/${topic}-all`;
  const over = new AbortController();

  async function ask(method: string, body: object): Promise<Answer> {
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify(body), signal: over.signal };
    const response = await fetch(`${subscription}:${method}`, request);
    if (!response.ok) throw new Error(`the emulator answered ${method} with ${response.status}`);
    return (await response.json()) as Answer;
  }

  async function listen(): Promise<void> {
    for (;;) {
      const { receivedMessages: messages = [] } = await ask('pull', { maxMessages: 1000 });
      for (const { message } of messages) {
        take(pubsubEvent({ data: Buffer.from(message.data ?? '', 'base64'), attributes: message.attributes ?? {} }));
      }
      if (messages.length > 0) await ask('acknowledge', { ackIds: messages.map(({ ackId }) => ackId) });
    }
  }

  const listening = listen().catch((error: unknown) => {
    if (!over.signal.aborted) throw error;
  });
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await listening;
    },
  };
}

interface Answer {
  readonly receivedMessages?: readonly {
    readonly ackId: string;
    readonly message: { readonly data?: string; readonly attributes?: Readonly<Record<string, string>> };
  }[];
}

function open(host: string): PubSub {
  // Without a client of its own it would look for a metadata server.
  const authClient = new OAuth2Client();
  return new PubSub({ projectId: 'project-1', apiEndpoint: host, emulatorMode: true, authClient });
}

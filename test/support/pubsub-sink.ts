// A Pub/Sub sink on the fake, with its topic.
import { openPubsubSink, type PubsubSinkOptions } from '../../lib/adapters/google/pubsub-sink.ts';
import type { EventSink } from '../../lib/ports/event-sink.ts';
import { type FakePubsub, startFakePubsub } from './fake-pubsub.ts';

export const topicName = 'projects/project-1/topics/changes';

export interface PubsubWorld extends AsyncDisposable {
  readonly pubsub: FakePubsub;
  readonly sink: EventSink;
}

export async function openPubsubWorld(options: Pick<PubsubSinkOptions, 'orderingKey'> = {}): Promise<PubsubWorld> {
  const pubsub = await startFakePubsub();
  pubsub.topics.add(topicName);
  const sink = await openSinkOn(pubsub, options);
  return {
    pubsub,
    sink,
    async [Symbol.asyncDispose]() {
      await sink.close();
      await pubsub[Symbol.asyncDispose]();
    },
  };
}

export async function openSinkOn(
  { host }: { readonly host: string },
  options: Partial<PubsubSinkOptions> = {},
): Promise<EventSink> {
  return await openPubsubSink({
    target: 'pubsub://project-1/changes',
    tokens: undefined,
    endpoint: { host, insecure: true },
    warn: () => undefined,
    signal: new AbortController().signal,
    ...options,
  });
}

import { describeEventSink } from '../../contract/event-sink.ts';
import { pubsubEvent } from '../../support/pubsub-event.ts';
import { openPubsubWorld } from '../../support/pubsub-sink.ts';

describeEventSink('Pub/Sub (in-process)', async () => {
  const world = await openPubsubWorld();
  return {
    sink: world.sink,
    received: () => world.pubsub.messages.map(pubsubEvent),
    close: async () => world[Symbol.asyncDispose](),
  };
});

import { webhookSink } from '../../../lib/adapters/http/webhook-sink.ts';
import { systemClock } from '../../../lib/async/system-clock.ts';
import { describeEventSink } from '../../contract/event-sink.ts';
import { memoryDeadLetters } from '../../support/memory-tables.ts';
import { eventOf, startWebhookReceiver } from '../../support/webhook-receiver.ts';

describeEventSink('webhook', async () => {
  const receiver = await startWebhookReceiver();
  const sink = webhookSink({ url: receiver.url, deadLetters: memoryDeadLetters(), clock: systemClock });
  return {
    sink,
    received: () => receiver.requests.map(eventOf),
    async close() {
      await sink.close();
      await receiver[Symbol.asyncDispose]();
    },
  };
});

// A webhook that counts what it gets, and is now and then overloaded or, on demand, down.
import { type Arrivals, createArrivals } from './arrivals.ts';
import { eventOf, startWebhookReceiver } from './webhook-receiver.ts';

export interface WebhookSubscriber extends AsyncDisposable {
  /** Where changes are to be sent. */
  readonly url: string;
  readonly arrivals: Arrivals;
  /** While down, it refuses everything. */
  setDown(down: boolean): void;
}

/** `random`: three in a hundred requests are answered 503, so that their batch has to come again. */
export async function startWebhookSubscriber(random: () => number): Promise<WebhookSubscriber> {
  const arrivals = createArrivals('the webhook');
  let down = false;
  const receiver = await startWebhookReceiver(
    (request, response) => {
      if (down || random() < 0.03) {
        response.writeHead(503).end();
        return;
      }
      arrivals.take(eventOf(request));
      response.writeHead(204).end();
    },
    { remember: false },
  );
  return {
    url: `${receiver.url}/events`,
    arrivals,
    setDown(now) {
      down = now;
    },
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  };
}

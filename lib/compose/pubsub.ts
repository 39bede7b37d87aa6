// A Pub/Sub sink, composed: whose tokens, and where Pub/Sub is. Loaded only where a topic is configured.
import { openPubsubSink } from '../adapters/google/pubsub-sink.ts';
import type { PubsubEndpoint } from '../adapters/google/pubsub-topic.ts';
import type { EventSink } from '../ports/event-sink.ts';
import type { Context } from './context.ts';
import type { SharedGoogle } from './shared-google.ts';

export async function openPubsub(
  target: string,
  { env, report, signal }: Context,
  google: SharedGoogle,
): Promise<EventSink> {
  const endpoint = endpointOf(env);
  return await openPubsubSink({
    target,
    // An emulator asks nobody who he is, and there need be no identity beside it.
    tokens: endpoint?.insecure === true ? undefined : (await google.get()).tokens,
    ...(endpoint === undefined ? {} : { endpoint }),
    warn: (message) => report({ severity: 'WARNING', message }),
    signal,
  });
}

/**
 * The variables of Google's own tools: an emulator, else another host, such as that of a region
 * (`https://us-central1-pubsub.googleapis.com/`). Undefined for Pub/Sub's own.
 */
function endpointOf(env: NodeJS.ProcessEnv): PubsubEndpoint | undefined {
  const emulator = env['PUBSUB_EMULATOR_HOST'];
  if (emulator) return { host: emulator.replace(/^https?:\/\//, ''), insecure: true };
  const other = env['CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB'];
  return other ? { host: other.replace(/^https?:\/\/|\/+$/g, ''), insecure: other.startsWith('http:') } : undefined;
}

// Publishes changes to a Pub/Sub topic: one message a change, lanes of a stream beside each other, each in order (promise 2).
// The library neither retries nor buffers here (promise 7); what failed is published again by the bridge, from its log.
import { createFlowControl, type FlowControl } from '../../async/flow-control.ts';
import { untilAborted } from '../../async/until-aborted.ts';
import { Mk8sError } from '../../model/errors.ts';
import type { Revision } from '../../model/revision.ts';
import { type StreamKey, streamKey } from '../../model/stream.ts';
import type { EventSink } from '../../ports/event-sink.ts';
import type { TokenSource } from '../../ports/token-source.ts';
import { checkPubsubTopic } from './pubsub-check.ts';
import { chunks, LANES, laneKeys, type OrderingKey } from './pubsub-lanes.ts';
import { parsePubsubName } from './pubsub-name.ts';
import { openPubsubTopic, type PubsubEndpoint, type PubsubTopic } from './pubsub-topic.ts';

export interface PubsubSinkOptions {
  /** `pubsub://PROJECT/TOPIC`. */
  readonly target: string;
  /** Whose tokens; undefined for an emulator. */
  readonly tokens: TokenSource | undefined;
  /** Default `pubsub.googleapis.com`. */
  readonly endpoint?: PubsubEndpoint;
  /** Gets a sentence where it could not be found out whether the topic can be published to. */
  readonly warn: (sentence: string) => void;
  readonly signal: AbortSignal;
  /** Default: LANES lanes. Others are for measurements. */
  readonly orderingKey?: OrderingKey;
}

/**
 * On its way at once, over all streams: the requests' copies of what the bridge's own budget counts. At the 30 ms of a
 * request within a region this is 500 MB/s; a message of 10 MB still goes beside others.
 */
const OUTSTANDING = { messages: 10_000, bytes: 16 * 1024 * 1024 };

/**
 * A topic as a sink; asks first whether it can be published to. A lane that fails fails the batch, with its own Mk8sError,
 * after the other lanes have gone on to their end; what they got through is left out when the batch comes again.
 *
 * Throws Mk8sError `config` for a wrong name, `http` where the topic or a permission is missing, `credentials`.
 */
export async function openPubsubSink(options: PubsubSinkOptions): Promise<EventSink> {
  const name = parsePubsubName(options.target);
  const { tokens, endpoint = { host: 'pubsub.googleapis.com', insecure: false } } = options;
  const topic = await openPubsubTopic({ name, tokens, endpoint });
  try {
    const doubt = await checkPubsubTopic(topic, name, options.signal);
    if (doubt !== undefined) options.warn(doubt);
  } catch (error) {
    await topic.close();
    throw error;
  }
  const publish = publishLanes(topic, options.orderingKey ?? laneKeys(LANES), createFlowControl(OUTSTANDING));
  return { name: options.target, publish, close: () => topic.close() };
}

/**
 * What a failed batch did get through is remembered until it comes again, as for webhooks (../http/lanes.ts): the numbers of
 * one batch per failing stream.
 */
function publishLanes(topic: PubsubTopic, orderingKey: OrderingKey, flow: FlowControl): EventSink['publish'] {
  const acknowledged = new Map<StreamKey, ReadonlySet<number>>();

  return async (batch, signal, onProgress) => {
    const [first] = batch;
    if (first === undefined) return;
    signal.throwIfAborted();
    await topic.authenticate(signal);
    const stream = streamKey(first.stream);
    const before = acknowledged.get(stream) ?? new Set();
    const done = new Set(batch.map(({ sequence }) => sequence).filter((sequence) => before.has(sequence)));

    /** One request after the other; the first that fails ends the lane, so nothing overtakes what has to come again. */
    async function sendLane(key: string, lane: readonly Revision[]): Promise<void> {
      for (const chunk of chunks(lane.filter(({ sequence }) => !done.has(sequence)))) {
        const load = { messages: chunk.messages.length, bytes: chunk.bytes };
        const giveBack = await flow.acquire(load, signal);
        // A request cannot be called back: it keeps its place until it has ended, waited for or not.
        await untilAborted(topic.publish(key, chunk).finally(giveBack), signal);
        for (const sequence of chunk.sequences) done.add(sequence);
        onProgress?.();
      }
    }

    const lanes = Map.groupBy(batch, orderingKey);
    const results = await Promise.allSettled(Array.from(lanes, ([key, lane]) => sendLane(key, lane)));
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    if (failures.length === 0) {
      acknowledged.delete(stream);
      return;
    }
    acknowledged.set(stream, done);
    signal.throwIfAborted();
    // What only somebody else can mend is worth more words than what passes.
    throw failures.find((error) => error instanceof Mk8sError && !error.retryable) ?? failures[0];
  };
}

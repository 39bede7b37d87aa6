// Pub/Sub as a sink: order, failures and bounds, on a server that fails as production does.
import { describe, expect, test } from 'vitest';
import { LANES, laneKeys } from '../../../lib/adapters/google/pubsub-lanes.ts';
import type { Mk8sError } from '../../../lib/model/errors.ts';
import type { Revision } from '../../../lib/model/revision.ts';
import { denied, type FakeMessage } from '../../support/fake-pubsub.ts';
import type { GrpcStatus } from '../../support/grpc-server.ts';
import { materialise } from '../../support/materialise.ts';
import { pubsubEvent } from '../../support/pubsub-event.ts';
import { openPubsubWorld } from '../../support/pubsub-sink.ts';
import { widgetRevision } from '../../support/sink-revision.ts';

const never = new AbortController().signal;
const laneOf = laneKeys(LANES);
const unavailable: GrpcStatus = { code: 14, details: 'The service was unable to fulfill your request.' };

/** `count` changes of as many widgets as there are names, in turn. */
function batchOf(count: number, names: readonly string[]): Revision[] {
  return Array.from({ length: count }, (_, n) => widgetRevision(n + 1, names[n % names.length] ?? ''));
}

/** Names of widgets that are in lanes of their own. */
function namesApart(count: number): readonly string[] {
  const lanes = new Map<string, string>();
  for (let n = 0; lanes.size < count; n += 1) lanes.set(laneOf(widgetRevision(1, `w-${n}`)), `w-${n}`);
  return [...lanes.values()];
}

function versions(messages: readonly FakeMessage[], name: string): unknown[] {
  return messages
    .filter(({ attributes }) => attributes['name'] === name)
    .map((one) => one.attributes['ce-resourceversion']);
}

async function failureOf(publishing: Promise<void>): Promise<Mk8sError> {
  return await publishing.then(
    () => expect.fail('it was published'),
    (error: unknown) => error as Mk8sError,
  );
}

describe('lanes of a batch', () => {
  test('go out beside each other, each as one request of one ordering key', async () => {
    await using world = await openPubsubWorld();
    const names = namesApart(4);
    const all = Promise.withResolvers<void>();
    let come = 0;
    // Nobody is answered before everybody has come.
    world.pubsub.fail = async (method) => {
      if (method !== 'Publish') return undefined;
      come += 1;
      if (come === names.length) all.resolve();
      await all.promise;
      return undefined;
    };
    await world.sink.publish(batchOf(40, names), never);
    expect(world.pubsub.requests.map(({ messages }) => messages.length)).toEqual([10, 10, 10, 10]);
    for (const { orderingKey, messages } of world.pubsub.requests) {
      for (const message of messages) expect(message.orderingKey).toBe(orderingKey);
    }
  });

  test('promise 2: a lane that fails stops there, the others go on, and what comes again continues in order', async () => {
    await using world = await openPubsubWorld();
    const names = namesApart(3);
    const [broken = ''] = names;
    const key = laneOf(widgetRevision(1, broken));
    const batch = batchOf(6_000, names);
    let calls = 0;
    world.pubsub.fail = (_, publish) => {
      if (publish?.orderingKey !== key) return undefined;
      calls += 1;
      // Of the lane's two requests, the second one fails, and then the first thing that comes again.
      return calls === 2 || calls === 3 ? unavailable : undefined;
    };
    let progress = 0;
    const publish = (): Promise<void> => world.sink.publish(batch, never, () => void (progress += 1));
    const failure = await failureOf(publish());
    expect(failure).toMatchObject({ code: 'http', status: 503, reason: 'UNAVAILABLE', retryable: true });
    expect(progress).toBe(5);
    expect(world.pubsub.messages).toHaveLength(5_000);
    await failureOf(publish());
    await publish();
    expect(progress).toBe(6);
    // Nothing was stored twice: what got through was remembered.
    expect(world.pubsub.messages).toHaveLength(6_000);
    for (const name of names) {
      const sent = batch.filter((revision) => revision.name === name).map(({ resourceVersion }) => resourceVersion);
      expect(versions(world.pubsub.messages, name)).toEqual(sent);
    }
  });

  test('promise 2: a lane whose first request fails sends nothing after it', async () => {
    await using world = await openPubsubWorld();
    world.pubsub.fail = (method) => (method === 'Publish' ? unavailable : undefined);
    await failureOf(world.sink.publish(batchOf(2_500, ['web']), never));
    // One: neither the library nor the sink tries again by itself.
    expect(world.pubsub.requests).toHaveLength(1);
  });

  test('promises 2, 5: an acknowledgement that is lost makes redeliveries with the same ids, and no disorder', async () => {
    await using world = await openPubsubWorld();
    const batch = batchOf(60, ['a', 'b', 'c']);
    let lost = 0;
    world.pubsub.failAfter = () => (lost++ < 2 ? { code: 4, details: 'Deadline exceeded.' } : undefined);
    expect(await failureOf(world.sink.publish(batch, never))).toMatchObject({ status: 504, retryable: true });
    await world.sink.publish(batch, never);
    const { faults, redelivered, ids } = materialise(world.pubsub.messages.map(pubsubEvent));
    expect(faults).toEqual([]);
    expect(ids.size).toBe(60);
    expect(redelivered).toBe(40);
  });

  test('promise 2: a redelivery after a nack brings later changes of the lane again, and subscribers still see order', async () => {
    await using world = await openPubsubWorld();
    const subscription = world.pubsub.subscribe();
    await world.sink.publish(batchOf(90, ['a', 'b', 'c']), never);
    const seen: FakeMessage[] = [];
    for (let round = 0, given = subscription.pull(); given.length > 0; given = subscription.pull(), round += 1) {
      for (const message of given) {
        seen.push(message);
        if (round === 7)
          subscription.nack(seen.find(({ orderingKey }) => orderingKey === message.orderingKey) ?? message);
        subscription.ack(message);
      }
    }
    const { faults, redelivered, ids } = materialise(seen.map(pubsubEvent));
    expect(redelivered).toBeGreaterThan(0);
    expect(ids.size).toBe(90);
    expect(faults).toEqual([]);
  });
});

describe('what Pub/Sub refuses', () => {
  const cases: readonly (readonly [GrpcStatus, Partial<Mk8sError>, string])[] = [
    [
      { code: 5, details: 'Resource not found (resource=changes).' },
      { status: 404, retryable: false },
      'Cannot publish to Pub/Sub topic changes of project project-1 as nobody (emulator): 404 NOT_FOUND Resource not found (resource=changes). Create it: gcloud pubsub topics create changes --project project-1',
    ],
    [
      denied('User not authorized to perform this action.'),
      { status: 403, retryable: false },
      'gcloud pubsub topics add-iam-policy-binding changes --project project-1 --role roles/pubsub.publisher --member PRINCIPAL',
    ],
    [
      denied('Cloud Pub/Sub API has not been used in project 1 before or it is disabled.', 'SERVICE_DISABLED'),
      { status: 403, reason: 'SERVICE_DISABLED', retryable: false },
      'gcloud services enable pubsub.googleapis.com --project project-1',
    ],
    [
      { code: 3, details: 'Invalid data in message: Message failed schema validation.' },
      { status: 400, retryable: false },
      'gcloud pubsub topics describe changes --project project-1',
    ],
    [
      { code: 8, details: "Quota exceeded for quota metric 'Regional publisher throughput, kB'." },
      { status: 429, retryable: true },
      'raise the quota of pubsub.googleapis.com in project project-1',
    ],
    [{ code: 13, details: 'Internal error.' }, { status: 500, retryable: true }, '500 INTERNAL'],
    [{ code: 10, details: 'The operation was aborted.' }, { status: 409, retryable: true }, '409 ABORTED'],
  ];
  test.each(cases)('%o fails the batch in a sentence that says what to do', async (status, expected, said) => {
    await using world = await openPubsubWorld();
    world.pubsub.fail = (method) => (method === 'Publish' ? status : undefined);
    const failure = await failureOf(world.sink.publish(batchOf(1, ['web']), never));
    expect(failure).toMatchObject({ code: 'http', ...expected });
    expect(failure.message).toContain(said);
    world.pubsub.fail = () => undefined;
    await world.sink.publish(batchOf(1, ['web']), never);
    expect(world.pubsub.messages).toHaveLength(1);
  });

  test('is told before what passes by itself, where lanes fail differently', async () => {
    await using world = await openPubsubWorld();
    const names = namesApart(3);
    const worst = laneOf(widgetRevision(1, names[2] ?? ''));
    world.pubsub.fail = (_, publish) => (publish?.orderingKey === worst ? denied('no') : unavailable);
    expect(await failureOf(world.sink.publish(batchOf(9, names), never))).toMatchObject({ status: 403 });
  });

  test('does not come to pass for a change over 10 MB: it carries a reference, and those around it their data', async () => {
    await using world = await openPubsubWorld();
    const object = JSON.stringify({ metadata: { name: 'web' }, text: 'x'.repeat(10_500_000) });
    const batch = [widgetRevision(1, 'web'), widgetRevision(2, 'web', { object }), widgetRevision(3, 'web')];
    await world.sink.publish(batch, never);
    const events = world.pubsub.messages.map(pubsubEvent);
    expect(events.map((event) => event.data?.metadata.name)).toEqual(['web', undefined, 'web']);
    expect(events[1]).toMatchObject({ dataref: 'mk8s://c-1/widgets.example.com#2', resourceversion: '102' });
  });

  test('that nobody listens is retryable', async () => {
    await using world = await openPubsubWorld();
    await world.pubsub[Symbol.asyncDispose]();
    const failure = await failureOf(world.sink.publish(batchOf(1, ['web']), never));
    expect(failure).toMatchObject({ status: 503, retryable: true });
  });
});

describe('a sink that is told to stop', () => {
  test('stops waiting at once, and a batch that comes later does not overtake what is under way', async () => {
    await using world = await openPubsubWorld();
    const held = Promise.withResolvers<undefined>();
    const arrived = Promise.withResolvers<void>();
    world.pubsub.fail = async (method) => {
      if (method === 'Publish') arrived.resolve();
      return method === 'Publish' && world.pubsub.requests.length === 1 ? await held.promise : undefined;
    };
    const stop = new AbortController();
    const reason = new Error('stopping');
    const first = world.sink.publish([widgetRevision(1, 'web')], stop.signal);
    await arrived.promise;
    stop.abort(reason);
    await expect(first).rejects.toBe(reason);
    const second = world.sink.publish([widgetRevision(1, 'web'), widgetRevision(2, 'web')], never);
    expect(world.pubsub.requests).toHaveLength(1);
    held.resolve(undefined);
    await second;
    expect(versions(world.pubsub.messages, 'web')).toEqual(['101', '101', '102']);
  });
});

describe('promise 7: what is on its way', () => {
  test('has a bound over all streams, in bytes', async () => {
    await using world = await openPubsubWorld();
    const two = Promise.withResolvers<void>();
    const held = Promise.withResolvers<undefined>();
    world.pubsub.fail = async (method) => {
      if (method !== 'Publish') return undefined;
      if (world.pubsub.requests.length === 2) two.resolve();
      return await held.promise;
    };
    const object = JSON.stringify('x'.repeat(8_000_000));
    const publishing = ['a', 'b', 'c', 'd'].map((plural) => {
      const revision = widgetRevision(1, 'web', { object });
      return world.sink.publish([{ ...revision, stream: { ...revision.stream, plural } }], never);
    });
    await two.promise;
    expect(world.pubsub.requests).toHaveLength(2);
    held.resolve(undefined);
    await Promise.all(publishing);
    expect(world.pubsub.messages).toHaveLength(4);
  });
});

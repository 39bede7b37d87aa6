// Pub/Sub on loopback, for what Google's emulator does not do as production does: it refuses what is over a limit, says who
// may not publish, fails when it is told to, and after a nack delivers later messages of the key again.
// Sources: https://cloud.google.com/pubsub/quotas#resource_limits, https://cloud.google.com/pubsub/docs/ordering,
// https://cloud.google.com/pubsub/docs/reference/error-codes
import { protos } from '@google-cloud/pubsub';
import { field, type GrpcAnswer, type GrpcCall, type GrpcServer, type GrpcStatus, serveGrpc } from './grpc-server.ts';
import { matchesFilter } from './pubsub-filter.ts';

const { PublishRequest, PublishResponse, Topic, GetTopicRequest } = protos.google.pubsub.v1;

export interface FakeMessage {
  readonly data: Buffer;
  readonly attributes: Readonly<Record<string, string>>;
  readonly orderingKey: string;
}

/** One publish request, before it is answered. */
interface FakePublish {
  readonly orderingKey: string;
  readonly messages: readonly FakeMessage[];
}

export interface FakePubsub extends GrpcServer {
  /** What was stored, in order. */
  readonly messages: readonly FakeMessage[];
  /** Every publish request that came, also refused ones. */
  readonly requests: readonly FakePublish[];
  /** The `authorization` header of every call. */
  readonly authorizations: readonly (string | undefined)[];
  /** Full names, `projects/P/topics/T`. */
  readonly topics: Set<string>;
  /** What the caller may do; `testIamPermissions` answers from it. */
  readonly permissions: Set<string>;
  /** Answers a call by its method (`Publish`, `GetTopic`, `TestIamPermissions`) before anything else happens. */
  fail: (method: string, publish: FakePublish | undefined) => GrpcStatus | undefined | Promise<GrpcStatus | undefined>;
  /** After the messages were stored: the acknowledgement that is lost. */
  failAfter: (publish: FakePublish) => GrpcStatus | undefined;
  subscribe(options?: { readonly filter?: string }): FakeSubscription;
}

/** A subscription with message ordering. */
interface FakeSubscription {
  /** The next message of each ordering key that has none outstanding. */
  pull(): readonly FakeMessage[];
  ack(message: FakeMessage): void;
  /** It comes again, and so does all of its key that was published after it, acknowledged or not. */
  nack(message: FakeMessage): void;
}

export async function startFakePubsub(tls?: {
  readonly certificate: string;
  readonly key: string;
}): Promise<FakePubsub> {
  const messages: FakeMessage[] = [];
  const requests: FakePublish[] = [];
  const authorizations: (string | undefined)[] = [];
  const topics = new Set<string>();
  const permissions = new Set(['pubsub.topics.publish']);

  async function answer({ path, message, authorization }: GrpcCall): Promise<GrpcAnswer> {
    authorizations.push(authorization);
    const method = path.slice(path.lastIndexOf('/') + 1);
    if (method !== 'Publish') return (await fake.fail(method, undefined)) ?? answerQuestion(method, message);
    const request = PublishRequest.decode(message);
    const publish = publishOf(request);
    requests.push(publish);
    const failure =
      (await fake.fail(method, publish)) ?? refusal(publish, message.byteLength) ?? unknownTopic(request.topic);
    if (failure !== undefined) return failure;
    messages.push(...publish.messages);
    const messageIds = publish.messages.map((_, index) => String(messages.length - publish.messages.length + index));
    return fake.failAfter(publish) ?? { message: PublishResponse.encode({ messageIds }).finish() };
  }

  function answerQuestion(method: string, message: Buffer): GrpcAnswer {
    if (method === 'GetTopic') {
      const { topic: name } = GetTopicRequest.decode(message);
      if (!permissions.has('pubsub.topics.get')) return denied(`User not authorized to perform this action.`);
      return unknownTopic(name) ?? { message: Topic.encode({ name }).finish() };
    }
    if (method === 'TestIamPermissions') {
      // Of what does not exist nobody has a permission, and which it is is not told.
      const granted = topics.size === 0 ? [] : [...permissions];
      return { message: Buffer.concat(granted.map((permission) => field(1, permission))) };
    }
    return { code: 12, details: '' };
  }

  function unknownTopic(name: string): GrpcStatus | undefined {
    const topic = name.slice(name.lastIndexOf('/') + 1);
    return topics.has(name) ? undefined : { code: 5, details: `Resource not found (resource=${topic}).` };
  }

  const server = await serveGrpc(answer, tls);
  const fake: FakePubsub = {
    ...server,
    messages,
    requests,
    authorizations,
    topics,
    permissions,
    fail: () => undefined,
    failAfter: () => undefined,
    subscribe: ({ filter } = {}) => subscription(messages, filter),
  };
  return fake;
}

export function denied(details: string, reason?: string): GrpcStatus {
  return { code: 7, details, ...(reason === undefined ? {} : { reason }) };
}

function publishOf({ messages }: protos.google.pubsub.v1.IPublishRequest): FakePublish {
  const all = (messages ?? []).map(({ data, attributes, orderingKey }) => ({
    data: Buffer.from((data as Uint8Array | null | undefined) ?? []),
    attributes: attributes ?? {},
    orderingKey: orderingKey ?? '',
  }));
  return { orderingKey: all[0]?.orderingKey ?? '', messages: all };
}

/** "10 MB", in its smaller sense. */
const TEN_MB = 10_000_000;

function refusal({ orderingKey, messages }: FakePublish, bytes: number): GrpcStatus | undefined {
  const wrong = messages.map(faultOf).find((fault) => fault !== undefined);
  const details =
    bytes > TEN_MB
      ? `Request payload size exceeds the limit: ${TEN_MB} bytes.`
      : messages.length > 1_000
        ? 'The value for message_count is too large. You passed more than 1000 in the request.'
        : messages.some((message) => message.orderingKey !== orderingKey)
          ? 'In a single publish request, all messages must have the same ordering key.'
          : wrong;
  return details === undefined ? undefined : { code: 3, details };
}

function faultOf({ data, attributes, orderingKey }: FakeMessage): string | undefined {
  const entries = Object.entries(attributes);
  if (data.byteLength === 0 && entries.length === 0) return 'Some messages in the publish request are empty.';
  if (entries.length > 100) return 'The attributes of a message may have at most 100 entries.';
  if (Buffer.byteLength(orderingKey) > 1_024) return 'The ordering key may have at most 1024 bytes.';
  const bad = entries.find(
    ([key, value]) =>
      key === '' || key.startsWith('goog') || Buffer.byteLength(key) > 256 || Buffer.byteLength(value) > 1_024,
  );
  return bad === undefined ? undefined : `The attribute ${bad[0]} has an invalid key, or a value over 1024 bytes.`;
}

function subscription(published: readonly FakeMessage[], filter: string | undefined): FakeSubscription {
  const wanted = (): readonly FakeMessage[] =>
    filter === undefined ? published : published.filter(({ attributes }) => matchesFilter(filter, attributes));
  const acknowledged = new Set<FakeMessage>();
  const outstanding = new Set<FakeMessage>();
  return {
    pull() {
      const keys = Map.groupBy(wanted(), ({ orderingKey }) => orderingKey);
      const next = Array.from(keys.values(), (ofKey) => ofKey.find((message) => !acknowledged.has(message)));
      const given = next.filter((message) => message !== undefined && !outstanding.has(message)) as FakeMessage[];
      for (const message of given) outstanding.add(message);
      return given;
    },
    ack(message) {
      outstanding.delete(message);
      acknowledged.add(message);
    },
    nack(message) {
      outstanding.delete(message);
      const ofKey = wanted().filter(({ orderingKey }) => orderingKey === message.orderingKey);
      for (const later of ofKey.slice(ofKey.indexOf(message))) acknowledged.delete(later);
    },
  };
}

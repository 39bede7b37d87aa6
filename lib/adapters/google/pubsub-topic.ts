// One Pub/Sub topic through Google's library: a publish request at a time per ordering key, and the questions asked at start.
//
// Of the library's publisher only its ordered queues are used: they keep a request from overtaking one of its ordering key
// that is still under way, even one that nobody waits for any more. What it would retry, batch or buffer is decided here.
import type { PublishOptions, PubSub } from '@google-cloud/pubsub';
import { Mk8sError } from '../../model/errors.ts';
import type { TokenSource } from '../../ports/token-source.ts';
import { authClient } from '../google-api/auth-client.ts';
import { type GoogleAttempt, googleError } from '../google-api/google-error.ts';
import { CLOUD_PLATFORM } from '../google-api/scopes.ts';
import { type Chunk, REQUEST } from './pubsub-lanes.ts';
import type { PubsubName } from './pubsub-name.ts';

export interface PubsubEndpoint {
  /** `HOST[:PORT]`. */
  readonly host: string;
  /** Plain HTTP/2 and no credentials: an emulator. */
  readonly insecure: boolean;
}

export interface PubsubTopic {
  /** Who publishes, for messages. */
  readonly identity: string;
  /** Makes sure that there is a token. Throws Mk8sError `credentials`. */
  authenticate(signal: AbortSignal): Promise<void>;
  /**
   * One request. Resolves when Pub/Sub has stored the messages. Throws Mk8sError `http` (retryable where the same may
   * succeed later); they may have been stored nevertheless. Takes no signal: a request that was sent is not called back.
   */
  publish(orderingKey: string, chunk: Chunk): Promise<void>;
  /** Which of these permissions the identity has. Throws what Google's library throws. */
  testPermissions(permissions: readonly string[]): Promise<readonly string[]>;
  /** Throws what Google's library throws where it does not exist or may not be looked at. */
  get(): Promise<void>;
  close(): Promise<void>;
}

/** As long as the library's own default: 10 MB through 1.4 Mbit/s. What is late was perhaps stored, and comes again. */
const PUBLISH_TIMEOUT_MS = 60_000;
const QUESTION_TIMEOUT_MS = 10_000;

/** The bridge waits between its attempts; a channel that waits for up to two minutes besides would outlast an outage. */
const channelOptions = { 'grpc.max_reconnect_backoff_ms': 5_000 };

const publishOptions: PublishOptions = {
  messageOrdering: true,
  // Batches are made before; all messages of one are handed over in the same turn, and then there is nothing to wait for.
  batching: { maxMessages: REQUEST.messages, maxBytes: REQUEST.bytes, maxMilliseconds: 0 },
  // `retry: null`: the publisher of the bridge repeats, says so, and knows when to give up. The library would go on for ten
  // minutes in silence.
  gaxOpts: { retry: null, timeout: PUBLISH_TIMEOUT_MS },
};

export interface PubsubTopicOptions {
  readonly name: PubsubName;
  /** Undefined for an emulator. */
  readonly tokens: TokenSource | undefined;
  readonly endpoint: PubsubEndpoint;
}

/** Imports the library: 300 ms and 60 MB, which nobody pays who does not publish there. */
export async function openPubsubTopic({ name, tokens, endpoint }: PubsubTopicOptions): Promise<PubsubTopic> {
  const [{ PubSub }, auth] = await Promise.all([import('@google-cloud/pubsub'), import('google-auth-library')]);
  const identity = tokens?.identity ?? 'nobody (emulator)';
  // One without tokens for emulators: with none, the library would look for a metadata server.
  const client = tokens === undefined ? new auth.OAuth2Client() : authClient(auth, tokens);
  const pubsub: PubSub = new PubSub({
    projectId: name.project,
    apiEndpoint: endpoint.host,
    emulatorMode: endpoint.insecure,
    authClient: client,
    ...channelOptions,
  });
  const topic = pubsub.topic(name.topic, publishOptions);
  let token: 'kept' | 'refused' | 'renewed' = 'kept';

  async function authenticate(signal: AbortSignal): Promise<void> {
    if (tokens === undefined) return;
    const fresh = token === 'refused';
    await tokens.get({ kind: 'access', scopes: [CLOUD_PLATFORM] }, { fresh, signal });
    if (!fresh) return;
    // It asks for the new one with its next request.
    client.setCredentials({});
    token = 'renewed';
  }

  async function publish(orderingKey: string, { messages }: Chunk): Promise<void> {
    const results = await Promise.allSettled(
      messages.map(({ data, attributes }) =>
        topic.publishMessage({ ...(data === undefined ? {} : { data }), attributes, orderingKey }),
      ),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed === undefined) {
      token = 'kept';
      return;
    }
    // The library refuses everything else of this key until it is told that we know.
    topic.resumePublishing(orderingKey);
    const error = googleError(failed.reason, publishing(name, identity));
    if (error.status !== 401 || token === 'renewed') throw error;
    token = 'refused';
    // Once: a token may be revoked before its time, and a new one be accepted.
    throw new Mk8sError(error.message, { code: 'credentials', status: 401, retryable: true });
  }

  return {
    identity,
    authenticate,
    publish,
    async testPermissions(permissions) {
      const [, { permissions: granted }] = await topic.iam.testPermissions([...permissions], question);
      return granted ?? [];
    },
    async get() {
      await topic.getMetadata(question);
    },
    close: async () => {
      await pubsub.close();
    },
  };
}

const question = { retry: null, timeout: QUESTION_TIMEOUT_MS };

/** What is attempted here, for errors. */
export function publishing(name: PubsubName, identity: string): GoogleAttempt {
  return {
    attempted: `publish to Pub/Sub topic ${name.topic} of project ${name.project}`,
    identity,
    code: 'http',
    advice: (failure) => pubsubAdvice(name, failure),
  };
}

/** What helps, by what Pub/Sub answers: https://cloud.google.com/pubsub/docs/reference/error-codes */
function pubsubAdvice(
  { project, topic }: PubsubName,
  { status, reason }: { readonly status: number | undefined; readonly reason: string | undefined },
): string | undefined {
  if (reason === 'SERVICE_DISABLED')
    return `Enable it: gcloud services enable pubsub.googleapis.com --project ${project}`;
  if (status === 400)
    return `Look at its settings, a schema perhaps: gcloud pubsub topics describe ${topic} --project ${project}`;
  if (status === 401) return 'Check these credentials: Pub/Sub does not accept their token';
  if (status === 403) return grantPublisher({ project, topic });
  if (status === 404) return createTopic({ project, topic });
  return status === 429
    ? `It is tried again; for more, raise the quota of pubsub.googleapis.com in project ${project}`
    : undefined;
}

export function grantPublisher({ project, topic }: PubsubName): string {
  return `Grant pubsub.topics.publish: gcloud pubsub topics add-iam-policy-binding ${topic} --project ${project} --role roles/pubsub.publisher --member PRINCIPAL`;
}

export function createTopic({ project, topic }: PubsubName): string {
  return `Create it: gcloud pubsub topics create ${topic} --project ${project}`;
}

// A start of a run with everything of Google's: a store in Firestore, a sink on Pub/Sub, and the gke source, in the order in which
// the run opens them. Pub/Sub is spoken to over TLS, without which it is sent no token.
import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { sharedGoogle } from '../../../lib/compose/shared-google.ts';
import { openSinks } from '../../../lib/compose/sinks.ts';
import { openSources } from '../../../lib/compose/sources.ts';
import { openStore } from '../../../lib/compose/store.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { createAuthority } from '../../support/certificates.ts';
import { startFakeFleet } from '../../support/fake-fleet.ts';
import { startFakePubsub } from '../../support/fake-pubsub.ts';

const authority = createAuthority();
// gRPC takes the file's name when it is loaded, before this file's own code, and reads it with the first connection.
const roots = vi.hoisted(() => {
  const file = `${process.getBuiltinModule('node:os').tmpdir()}/mk8s-shared-${process.pid}.pem`;
  process.env['GRPC_DEFAULT_SSL_ROOTS_FILE_PATH'] = file;
  return file;
});
writeFileSync(roots, authority.certificate);
afterAll(() => rmSync(roots));
afterEach(() => vi.unstubAllEnvs());

test('the metadata server is detected and asked once, whoever needs its tokens', async () => {
  const TOKEN = 'ya29.of-the-workload';
  await using fleet = await startFakeFleet(TOKEN, { clusters: [], memberships: [] });
  await using pubsub = await startFakePubsub(authority.issue({ commonName: 'pubsub', names: ['localhost'] }));
  pubsub.topics.add('projects/fleet-project/topics/changes');
  const env = {
    ...fleet.env,
    // As on Google Cloud: it is looked for.
    METADATA_SERVER_DETECTION: 'ping-only',
    CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB: `https://${pubsub.host.replace('127.0.0.1', 'localhost')}`,
    HOME: '/nonexistent',
  };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const { config } = await loadConfig({
    env,
    useFolder: false,
    flags: {
      source: 'gke,fleet',
      store: 'firestore://fleet-project',
      sinks: ['pubsub://fleet-project/changes', 'pubsub://fleet-project/changes'],
    },
  });
  const context = { env, signal: new AbortController().signal, report: () => undefined };

  const google = sharedGoogle(config, context);
  const store = await openStore(config, context, google);
  const sources = await openSources(config, context, google);
  const sink = await openSinks(config, store, new AbortController(), context, google);
  for (const source of sources.sources) expect((await source.discover()).problems).toEqual([]);

  const asked = fleet.google.requests.map(({ url }) => url.pathname.replace('/computeMetadata/v1/', ''));
  const times = (path: string): number => asked.filter((each) => each === path).length;
  expect(pubsub.authorizations).toEqual([`Bearer ${TOKEN}`, `Bearer ${TOKEN}`]);
  expect({
    detected: times('instance'),
    asked: times('project/project-id'),
    tokens: times('instance/service-accounts/default/token'),
  }).toEqual({ detected: 1, asked: 1, tokens: 1 });

  await sink?.close();
  await sources.close();
  await store.close();
  await google.close();
});

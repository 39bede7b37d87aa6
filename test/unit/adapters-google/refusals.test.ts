// What Google refuses, and what is said of it: what was asked, of whom, as whom, what is missing, and the command that mends it.
// Asked over real HTTP by Google's own libraries.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { gkeClusters } from '../../../lib/adapters/google/gke-clusters.ts';
import { explainedApiServer } from '../../../lib/adapters/google/google-api-server.ts';
import { googleGet } from '../../../lib/adapters/google/google-request.ts';
import { hubMemberships } from '../../../lib/adapters/google/hub-memberships.ts';
import { identifyCluster } from '../../../lib/adapters/kubernetes/discovery-port.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { Token } from '../../../lib/model/token.ts';
import type { TokenSource } from '../../../lib/ports/token-source.ts';
import { fakeApiServer, jsonAnswer, statusAnswer } from '../../support/fake-api-server.ts';
import { apiError, type FakeGoogle, startFakeGoogle } from '../../support/fake-google.ts';

const runner = 'runner@p.iam.gserviceaccount.com';
const member = `serviceAccount:${runner}`;
/** Tokens that are numbered, and how often a fresh one was asked for. */
function tokenSource(): TokenSource & { readonly fresh: () => number } {
  let count = 0;
  return {
    identity: `service account ${runner} (metadata server)`,
    principal: member,
    fresh: () => count,
    get: (_, { fresh = false } = {}) => {
      count += fresh ? 1 : 0;
      return Promise.resolve(new Token(`ya29.secret-${count}`, new Date(Date.now() + 3_600_000)));
    },
  };
}

let google: FakeGoogle;
let tokens: ReturnType<typeof tokenSource>;
beforeEach(async () => {
  google = await startFakeGoogle(() => undefined);
  tokens = tokenSource();
});
afterEach(() => google[Symbol.asyncDispose]());

/** How each API is asked, and what it needs. */
const apis: readonly [string, () => Promise<unknown>, { what: string; api: string; role: string }][] = [
  [
    'GKE',
    () => gkeClusters({ tokens, url: new URL(google.url) }).list('p'),
    { what: 'list the GKE clusters of project p', api: 'container', role: 'container.clusterViewer' },
  ],
  [
    'GKE Hub',
    () => hubMemberships({ get: googleGet(tokens), hubUrl: new URL(google.url) }).list('p'),
    { what: 'list the fleet memberships of project p', api: 'gkehub', role: 'gkehub.viewer' },
  ],
  [
    'Resource Manager',
    () => hubMemberships({ get: googleGet(tokens), resourceManagerUrl: new URL(google.url) }).projectNumber('p'),
    { what: 'read the number of project p', api: 'cloudresourcemanager', role: 'browser' },
  ],
];

async function refusal(ask: () => Promise<unknown>): Promise<Mk8sError> {
  const error = await ask().catch((caught: unknown) => caught);
  if (error instanceof Mk8sError) return error;
  throw new Error(`expected an Mk8sError, not ${String(error)}`);
}

describe.each(apis)('%s', (_, ask, { what, api, role }) => {
  const refused = (why: string): string => `Cannot ${what} as service account ${runner} (metadata server): ${why}`;

  test('that is not enabled is told with the command that enables it, in the project that is charged', async () => {
    const message = `This API has not been used in project 42 before or it is disabled.`;
    const info = {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'SERVICE_DISABLED',
      domain: 'googleapis.com',
      metadata: { consumer: 'projects/42', service: `${api}.googleapis.com` },
    };
    google.answer = () => ({
      status: 403,
      body: { error: { code: 403, message, status: 'PERMISSION_DENIED', details: [info] } },
    });
    expect(await refusal(ask)).toMatchObject({
      code: 'http',
      status: 403,
      retryable: false,
      message: `${refused(`403 PERMISSION_DENIED ${message.slice(0, -1)}`)}. Enable it: gcloud services enable ${api}.googleapis.com --project 42`,
    });
  });

  test('that denies is told with the role that is missing, and whose', async () => {
    google.answer = () => ({ status: 403, body: apiError(403, 'PERMISSION_DENIED', 'Permission denied.') });
    expect((await refusal(ask)).message).toBe(
      `${refused('403 PERMISSION_DENIED Permission denied')}. Grant it: gcloud projects add-iam-policy-binding p --role roles/${role} --member ${member}`,
    );
    expect(tokens.fresh()).toBe(0);
  });

  test('that refuses a token which ended early is asked once more with a fresh one', async () => {
    google.answer = ({ headers }) =>
      headers.authorization === 'Bearer ya29.secret-0'
        ? { status: 401, body: apiError(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.') }
        : { body: { clusters: [], resources: [], projectNumber: '42' } };
    await ask();
    expect([tokens.fresh(), google.requests.length]).toEqual([1, 2]);
  });

  test('promise 9: that refuses the fresh token, too, is told without it', async () => {
    google.answer = ({ headers }) => ({
      status: 401,
      body: apiError(401, 'UNAUTHENTICATED', `${headers.authorization} has expired.`),
    });
    const { message, status } = await refusal(ask);
    expect(status).toBe(401);
    expect(message).toContain(refused('401 UNAUTHENTICATED'));
    expect(message).toContain(`gcloud iam service-accounts describe ${runner}`);
    expect(message).not.toContain('secret');
    expect(google.requests).toHaveLength(2);
  });

  test('whose quota is used up is told with where to see it, and is worth asking again', async () => {
    google.answer = () => ({
      status: 429,
      body: apiError(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded for quota metric.'),
    });
    const error = await refusal(ask);
    expect(error).toMatchObject({ status: 429, retryable: true });
    expect(error.message).toBe(
      `${refused('429 RESOURCE_EXHAUSTED Quota exceeded for quota metric')}. It is asked again later. See its quota: gcloud beta quotas info list --service ${api}.googleapis.com --project p`,
    );
    expect(google.requests).toHaveLength(1);
  });
});

describe('a cluster behind Connect Gateway', () => {
  const access = { api: 'connectgateway', role: 'gkehub.gatewayReader', project: 'p' };
  const behind = (status: number, body: unknown) =>
    explainedApiServer(
      fakeApiServer(() => jsonAnswer(body, status)),
      access,
      tokens,
    );

  test('that Google does not let us ask is told with the role, and is not taken for one that hides who it is', async () => {
    const denied = apiError(403, 'PERMISSION_DENIED', "Permission 'gkehub.gateway.get' denied on resource.");
    const error = await refusal(() => identifyCluster(behind(403, denied), undefined, 'm'));
    expect(error).toMatchObject({ code: 'http', status: 403, reason: 'PERMISSION_DENIED' });
    expect(error.message).toContain(
      `connectgateway.googleapis.com refused service account ${runner} (metadata server): Permission 'gkehub.gateway.get' denied on resource. Grant it: gcloud projects add-iam-policy-binding p --role roles/gkehub.gatewayReader --member ${member}`,
    );
  });

  test('whose quota is used up is told, and is worth asking again', async () => {
    const error = await refusal(() => identifyCluster(behind(429, apiError(429, 'RESOURCE_EXHAUSTED', 'Quota.'))));
    expect(error).toMatchObject({ status: 429, retryable: true });
    expect(error.message).toContain('--service connectgateway.googleapis.com --project p');
  });

  test('that refuses by itself is heard as it is', async () => {
    const api = fakeApiServer(({ path }) =>
      path === '/version'
        ? jsonAnswer({ gitVersion: 'v1.36.2' })
        : statusAnswer(403, 'Forbidden', 'namespaces is forbidden'),
    );
    expect(await identifyCluster(explainedApiServer(api, access, tokens))).toMatchObject({ byAddress: true });
    const long = { message: 'x'.repeat(100_000) };
    const { message } = await refusal(() => identifyCluster(behind(404, long)));
    expect(message).toContain('xxx');
  });
});

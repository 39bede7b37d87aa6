// A cluster whose service accounts Google trusts, as fleet workload identity has it: STS takes a JWT of the cluster for the right
// pool and provider only, and IAM lets what it gave impersonate one service account.
import type { Sandbox } from '../../lib/sandbox/sandbox.ts';
import { apiError, type FakeGoogle, jwtOf, startFakeGoogle } from './fake-google.ts';

export interface Federation extends AsyncDisposable {
  readonly google: FakeGoogle;
  /** For a process: Google is here. */
  readonly env: Readonly<Record<string, string>>;
  /** A kubeconfig with the cluster as gcloud would name it. */
  readonly kubeconfig: string;
  readonly project: string;
  readonly projectNumber: string;
  /** May be impersonated. */
  readonly account: string;
  /** All that was given or taken as a proof: none of it may be seen anywhere. */
  secrets(): readonly string[];
}

const project = 'shop-prod';
const projectNumber = '123456789012';
const account = `runner@${project}.iam.gserviceaccount.com`;
const context = `gke_${project}_europe-west1-b_web`;
const provider = `https://container.googleapis.com/v1/projects/${project}/locations/europe-west1-b/clusters/web`;

export async function startFederation(cluster: Sandbox): Promise<Federation> {
  const given: string[] = [cluster.token];
  const give = (token: string): string => {
    given.push(token);
    return token;
  };
  const google = await startFakeGoogle(({ url, method, headers, body }) => {
    const in1h = Date.now() + 3_600_000;
    if (method === 'POST' && url.pathname === '/v1/token') {
      const form = new URLSearchParams(body);
      const jwt = form.get('subject_token') ?? '';
      given.push(jwt);
      if (form.get('audience') !== `identitynamespace:${project}.svc.id.goog:${provider}` || !isFor(jwt)) {
        return { status: 400, body: { error: 'invalid_grant', error_description: `The token ${jwt} is not accepted` } };
      }
      const access = give(`ya29.d.federated-${given.length}`);
      return { body: { access_token: access, issued_token_type: 'x', token_type: 'Bearer', expires_in: 3600 } };
    }
    if (!given.includes((headers.authorization ?? '').replace('Bearer ', ''))) {
      return { status: 401, body: apiError(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.') };
    }
    if (url.pathname === `/v1/projects/${project}`) return { body: { projectNumber, projectId: project } };
    if (url.pathname === `/v1/projects/-/serviceAccounts/${account}:generateAccessToken`) {
      const accessToken = give(`ya29.c.of-runner-${given.length}`);
      return { body: { accessToken, expireTime: new Date(in1h).toISOString() } };
    }
    if (url.pathname === `/v1/projects/-/serviceAccounts/${account}:generateIdToken`) {
      const { audience } = JSON.parse(body) as { audience: string };
      const claims = { iss: 'https://accounts.google.com', aud: audience, email: account, email_verified: true };
      return { body: { token: give(jwtOf({ ...claims, exp: Math.floor(in1h / 1000), jti: String(given.length) })) } };
    }
    return undefined;
  });
  const ca = Buffer.from(cluster.ca).toString('base64');
  return {
    google,
    project,
    projectNumber,
    account,
    env: {
      METADATA_SERVER_DETECTION: 'none',
      CLOUDSDK_API_ENDPOINT_OVERRIDES_STS: google.url,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: google.url,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER: google.url,
    },
    kubeconfig: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': context,
      contexts: [{ name: context, context: { cluster: context, user: context } }],
      clusters: [{ name: context, cluster: { server: cluster.url, 'certificate-authority-data': ca } }],
      users: [{ name: context, user: { token: cluster.token } }],
    }),
    secrets: () => given,
    [Symbol.asyncDispose]: () => google[Symbol.asyncDispose](),
  };
}

/** STS verifies the signature, too; here the cluster itself made it a moment ago. */
function isFor(jwt: string): boolean {
  const claims: unknown = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8') || '{}');
  const { aud, sub } = claims as { aud?: readonly string[]; sub?: string };
  return aud?.[0] === `${project}.svc.id.goog` && sub === 'system:serviceaccount:default:default';
}

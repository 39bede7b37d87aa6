// Google's token services on loopback: the metadata server's tokens, STS and IAM credentials. Tokens that they hand out are
// known to `whoIs`, until they end.
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { type Answering, apiError, jwtOf, metadataServerAnswers } from './fake-google.ts';

/** A cluster whose issuer a workload identity pool trusts. */
export interface TrustedCluster {
  /** What the pool calls it: `https://container.googleapis.com/v1/projects/P/locations/L/clusters/C`. */
  readonly provider: string;
  readonly url: string;
  readonly token: string;
  readonly ca: string;
}

export interface TokenServicesOptions {
  readonly project: string;
  readonly number: string;
  readonly region: string;
  /** The access token of the workload's own service account. */
  readonly accessToken: string;
  /** Of the pool `PROJECT.svc.id.goog`. */
  readonly trusted: readonly TrustedCluster[];
  /** Service accounts that may be impersonated, by everybody. */
  readonly impersonable: readonly string[];
}

export interface TokenServices {
  /** Whose access token it is, as IAM calls it; undefined for one that has ended or was never handed out. */
  whoIs(token: string): string | undefined;
  /** Makes every token but new ones end, as if hours had passed. */
  expireAll(): void;
  /** Answers with a promise: STS asks the cluster for its keys. */
  readonly answer: (request: Parameters<Answering>[0]) => Promise<ReturnType<Answering>>;
}

export function tokenServices(options: TokenServicesOptions): TokenServices {
  const { project, number, region, accessToken, trusted, impersonable } = options;
  const account = `runner@${project}.iam.gserviceaccount.com`;
  const living = new Map([[accessToken, `serviceAccount:${account}`]]);
  let count = 0;

  function issue(member: string): string {
    count += 1;
    const token = `ya29.d.number-${count}`;
    living.set(token, member);
    return token;
  }

  const metadata = metadataServerAnswers({
    '': 'instance/',
    instance: 'here',
    'instance/service-accounts/default/token': () => {
      living.set(accessToken, `serviceAccount:${account}`);
      return { access_token: accessToken, expires_in: 3600, token_type: 'Bearer' };
    },
    'instance/service-accounts/default/identity': ({ searchParams }: URL) =>
      jwtOf({ aud: searchParams.get('audience'), email: account, exp: Math.floor(Date.now() / 1000) + 3600 }),
    'instance/service-accounts/default/email': account,
    'instance/region': `projects/${number}/regions/${region}`,
    'project/project-id': project,
    'project/numeric-project-id': number,
  });

  /** https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token */
  async function exchange(body: string): Promise<ReturnType<Answering>> {
    const { audience, subject_token: jwt = '' } = Object.fromEntries(new URLSearchParams(body));
    const pool = `${project}.svc.id.goog`;
    const cluster = trusted.find(({ provider }) => audience === `identitynamespace:${pool}:${provider}`);
    if (cluster === undefined)
      return refusal('invalid_target', 'The target service indicated by the "audience" is invalid.');
    const claims = await verified(jwt, cluster);
    if (claims === undefined) return refusal('invalid_grant', 'Unable to verify the ID Token signature.');
    if (!claims.aud.includes(pool)) return refusal('invalid_grant', 'The audience in ID Token does not match.');
    if (claims.exp * 1000 <= Date.now()) return refusal('invalid_grant', 'ID Token in request is expired.');
    const [, , namespace, name] = claims.sub.split(':');
    const token = issue(`serviceAccount:${pool}[${namespace}/${name}]`);
    const type = 'urn:ietf:params:oauth:token-type:access_token';
    return { body: { access_token: token, issued_token_type: type, token_type: 'Bearer', expires_in: 3599 } };
  }

  /** https://cloud.google.com/iam/docs/reference/credentials/rest */
  function impersonate(name: string, method: string, body: string): ReturnType<Answering> {
    if (!impersonable.includes(name)) {
      const message = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";
      return { status: 403, body: apiError(403, 'PERMISSION_DENIED', message) };
    }
    if (method === 'generateAccessToken') {
      // As long as was asked for, an hour at most.
      const { lifetime = '3600s' } = JSON.parse(body) as { lifetime?: string };
      const seconds = Number.parseInt(lifetime, 10);
      if (!(seconds > 0 && seconds <= 3600)) {
        const message = 'The lifetime must be between 1 second and 1 hour.';
        return { status: 400, body: apiError(400, 'INVALID_ARGUMENT', message) };
      }
      const expireTime = new Date(Date.now() + seconds * 1000).toISOString();
      return { body: { accessToken: issue(`serviceAccount:${name}`), expireTime } };
    }
    const exp = Math.floor(Date.now() / 1000) + 3600;
    const { audience } = JSON.parse(body) as { audience: string };
    return { body: { token: jwtOf({ aud: audience, email: name, exp }) } };
  }

  return {
    whoIs: (token) => living.get(token),
    expireAll: () => living.clear(),
    async answer(request) {
      const { url, headers, body } = request;
      if (url.pathname === '/v1/token') return await exchange(body);
      const [, name, method] = /^\/v1\/projects\/-\/serviceAccounts\/([^:]+):(generate\w+)$/.exec(url.pathname) ?? [];
      if (name === undefined || method === undefined) return metadata(request);
      const caller = living.get((headers.authorization ?? '').replace('Bearer ', ''));
      return caller === undefined ? unauthenticated : impersonate(name, method, body);
    },
  };
}

/** What every API says to a token that is not, or no longer, good. */
export const unauthenticated: ReturnType<Answering> = {
  status: 401,
  body: apiError(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.'),
};

function refusal(error: string, description: string): ReturnType<Answering> {
  return { status: 400, body: { error, error_description: description } };
}

interface Claims {
  readonly aud: readonly string[];
  readonly exp: number;
  readonly sub: string;
}

/** The claims of a JWT that one of the cluster's keys (ES256) signed. */
async function verified(jwt: string, cluster: TrustedCluster): Promise<Claims | undefined> {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const { keys } = (await keySet(cluster)) as { keys: JsonWebKey[] };
  const good = keys.some((key) =>
    verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      { key: createPublicKey({ key, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    ),
  );
  return good ? (JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Claims) : undefined;
}

function keySet({ url, token, ca }: TrustedCluster): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, accept: 'application/jwk-set+json' };
    const asked = httpsRequest(`${url}/openid/v1/jwks`, { headers, ca }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString('utf8'))));
    });
    asked.on('error', reject);
    asked.end();
  });
}

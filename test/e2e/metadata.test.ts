// `mk8s metadata` as programs meet it: a real process with the identity of a cluster, and Google's own client libraries, in
// processes of theirs, that find it through GCE_METADATA_HOST. The issuer is a fake on loopback.
import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../lib/sandbox/sandbox.ts';
import { type Federation, startFederation } from '../support/federation.ts';
import { type RunningProcess, startMk8s, startProcess } from '../support/process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = resolve(import.meta.dirname, '../..');

describe('the metadata server of a cluster', { timeout: 120_000 }, () => {
  let cluster: Sandbox;
  let federation: Federation;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: RunningProcess;
  let host: string;

  beforeAll(async () => {
    cluster = await startSandbox({ name: 'web' });
  });
  afterAll(() => cluster.stop());
  beforeEach(async () => {
    federation = await startFederation(cluster);
    folder = await temporaryFolder();
    await writeFile(join(folder.path, 'kubeconfig'), federation.kubeconfig);
  });
  afterEach(async () => {
    await server[Symbol.asyncDispose]();
    await federation[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const named = ['--google-kubernetes-service-account', 'default/default'];

  async function serve(...args: string[]): Promise<void> {
    await start([...named, ...args]);
  }

  async function start(flags: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
    server = startMk8s(['metadata', '--kubeconfig', join(folder.path, 'kubeconfig'), '--port', '0', ...flags], {
      env: { ...federation.env, HOME: folder.path, ...env },
      cwd: folder.path,
    });
    host = await server.waitFor('its address', ({ stdout }) => /GCE_METADATA_HOST=(\S+)/.exec(stdout)?.[1]);
  }

  /** Runs a program as a client on this machine would be, and reads what it prints as JSON. */
  async function client(command: string, args: readonly string[]): Promise<unknown> {
    const env = { GCE_METADATA_HOST: host, GCE_METADATA_IP: host, HOME: folder.path };
    await using running = startProcess(command, args, { env, cwd: root });
    const { code } = await running.exit;
    expect(code, running.stderr()).toBe(0);
    return JSON.parse(running.stdout());
  }

  const nodeClient = (code: string): Promise<unknown> =>
    client(process.execPath, ['--input-type=module', '--eval', code]);

  function expectNoSecrets(...texts: string[]): void {
    const text = texts.join('\n');
    expect(federation.secrets().filter((secret) => text.includes(secret))).toEqual([]);
  }

  test('promise 9: is one to gcp-metadata and google-auth-library, and neither output has a token', async () => {
    await serve('--google-impersonate', federation.account);
    const seen = await nodeClient(`
      import * as metadata from 'gcp-metadata';
      import { GoogleAuth } from 'google-auth-library';
      const auth = new GoogleAuth();
      const idClient = await auth.getIdTokenClient('https://audience.example');
      console.log(JSON.stringify({
        available: await metadata.isAvailable(),
        project: await metadata.project('project-id'),
        number: await metadata.project('numeric-project-id'),
        zone: await metadata.instance('zone'),
        clusterName: await metadata.instance('attributes/cluster-name'),
        accounts: Object.keys(await metadata.instance({ property: 'service-accounts/', params: { recursive: 'true' } })),
        authProject: await auth.getProjectId(),
        email: (await auth.getCredentials()).client_email,
        access: await auth.getAccessToken(),
        identity: await idClient.idTokenProvider.fetchIdToken('https://audience.example'),
      }));`);
    const { account, project, projectNumber } = federation;
    expect(seen).toEqual({
      available: true,
      project,
      number: Number(projectNumber),
      zone: `projects/${projectNumber}/zones/europe-west1-b`,
      clusterName: 'web',
      accounts: ['default', account],
      authProject: project,
      email: account,
      access: expect.stringMatching(/^ya29\.c\.of-runner-/),
      identity: expect.stringMatching(/^eyJ/),
    });
    const { identity } = seen as { identity: string };
    expect(JSON.parse(Buffer.from(identity.split('.')[1] ?? '', 'base64url').toString('utf8'))).toMatchObject({
      aud: 'https://audience.example',
      email: account,
    });
    await server.kill('SIGTERM');
    expect(server.stderr()).toContain('Gave an identity token for https://audience.example');
    expectNoSecrets(server.stdout(), server.stderr());
  });

  test('gives federated tokens where nobody is impersonated, under the name that GKE gives such a workload', async () => {
    await serve();
    const seen = await nodeClient(`
      import * as metadata from 'gcp-metadata';
      import { GoogleAuth } from 'google-auth-library';
      const refused = await metadata.instance({ property: 'service-accounts/default/identity', params: { audience: 'a' } })
        .then(() => 'given', (error) => error.response.status + ' ' + error.response.data);
      console.log(JSON.stringify({
        email: await metadata.instance('service-accounts/default/email'),
        access: await new GoogleAuth().getAccessToken(),
        refused,
      }));`);
    expect(seen).toEqual({
      email: 'shop-prod.svc.id.goog',
      access: expect.stringMatching(/^ya29\.d\.federated-/),
      refused: expect.stringMatching(/^403 .*a federated identity has none\. Let it impersonate a service account/s),
    });
    await server.kill('SIGTERM');
    expectNoSecrets(server.stdout(), server.stderr());
  });

  test('promise 9: with only a kubeconfig, and nothing named, has the identity of its cluster, as a run has it', async () => {
    await start([]);
    const seen = await nodeClient(`
      import * as metadata from 'gcp-metadata';
      import { GoogleAuth } from 'google-auth-library';
      const auth = new GoogleAuth();
      console.log(JSON.stringify({
        email: await metadata.instance('service-accounts/default/email'),
        zone: await metadata.instance('zone'),
        project: await auth.getProjectId(),
        access: await auth.getAccessToken(),
      }));`);
    expect(seen).toEqual({
      email: 'shop-prod.svc.id.goog',
      zone: `projects/${federation.projectNumber}/zones/europe-west1-b`,
      project: 'shop-prod',
      access: expect.stringMatching(/^ya29\.d\.federated-/),
    });
    await server.kill('SIGTERM');
    expect(server.stdout()).toContain(
      'as service account default/default of cluster "gke_shop-prod_europe-west1-b_web"',
    );
    expectNoSecrets(server.stdout(), server.stderr());
  });

  test('has the identity of the cluster that is named, where that is all that is', async () => {
    const other = await startSandbox({ name: 'other' });
    try {
      const both = JSON.parse(federation.kubeconfig) as Record<string, object[]>;
      const add = (key: string, entry: object): void => void both[key]?.push({ name: 'other', ...entry });
      add('clusters', { cluster: { server: other.url, 'insecure-skip-tls-verify': true } });
      add('users', { user: { token: other.token } });
      add('contexts', { context: { cluster: 'other', user: 'other' } });
      await writeFile(join(folder.path, 'kubeconfig'), JSON.stringify({ ...both, 'current-context': 'other' }));
      await start(['--cluster', 'gke_shop-prod_europe-west1-b_web']);
      expect(server.stdout()).toContain(
        'of cluster "gke_shop-prod_europe-west1-b_web" in the pool shop-prod.svc.id.goog',
      );
    } finally {
      await other.stop();
    }
  });

  test('takes application default credentials before the cluster', async () => {
    const key = join(folder.path, 'key.json');
    await writeFile(
      key,
      JSON.stringify({ type: 'authorized_user', client_id: 'a', client_secret: 'b', refresh_token: 'c' }),
    );
    await start([], { GOOGLE_APPLICATION_CREDENTIALS: key });
    expect(server.stdout()).toContain('as the application default credentials');
  });

  const python = gcloudPython();
  test.skipIf(python === undefined)("is one to gcloud's own Python library (where gcloud is installed)", async () => {
    await serve('--google-impersonate', federation.account);
    const { command = '', library = '' } = python ?? {};
    const seen = await client(command, [
      '-S',
      '-c',
      `
import json, sys
sys.path.insert(0, sys.argv[1])
import google.auth, google.auth.compute_engine
from google.auth.compute_engine import _metadata
from google.auth.transport.requests import Request
request = Request()
credentials, project = google.auth.default(scopes=['https://www.googleapis.com/auth/cloud-platform'])
credentials.refresh(request)
identity = google.auth.compute_engine.IDTokenCredentials(request, 'https://audience.example', use_metadata_identity_endpoint=True)
identity.refresh(request)
print(json.dumps({
  'ping': _metadata.ping(request), 'kind': type(credentials).__module__, 'project': project,
  'email': credentials.service_account_email, 'universe': credentials.universe_domain, 'access': credentials.token,
  'info': _metadata.get_service_account_info(request)['aliases'], 'identity': identity.token,
}))`,
      library,
    ]);
    expect(seen).toEqual({
      ping: true,
      kind: 'google.auth.compute_engine.credentials',
      project: federation.project,
      email: federation.account,
      universe: 'googleapis.com',
      access: expect.stringMatching(/^ya29\.c\.of-runner-/),
      info: ['default'],
      identity: expect.stringMatching(/^eyJ/),
    });
  });

  test('puts its flavor on every answer, and refuses who must not ask', async () => {
    await serve();
    const token = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`;
    const flavor = { 'metadata-flavor': 'Google' };
    const statuses = await Promise.all(
      [{}, { ...flavor, 'x-forwarded-for': '10.0.0.1' }, flavor].map(async (headers) => {
        const response = await fetch(token, { headers });
        expect(response.headers.get('metadata-flavor')).toBe('Google');
        expect(response.headers.get('access-control-allow-origin')).toBeNull();
        await response.body?.cancel();
        return response.status;
      }),
    );
    expect(statuses).toEqual([403, 403, 200]);
    // fetch sets Host itself.
    expect(
      await raw(host, 'GET /computeMetadata/v1/ HTTP/1.1\r\nHost: evil.example\r\nMetadata-Flavor: Google'),
    ).toMatch(/^HTTP\/1\.1 403 .*metadata-flavor: Google/is);
    expect(await raw(host, 'GET /computeMetadata/v1/ HTTP/1.1\r\nHost: 127.0.0.1\r\nMetadata-Flavor: Google')).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });

  test('answers what was asked before it ends', async () => {
    const { answer } = federation.google;
    let arrived = (): void => {};
    const atIssuer = new Promise<void>((done) => {
      arrived = done;
    });
    await serve();
    federation.google.answer = (request) => {
      if (request.body.includes('the-scope-of-this-test')) arrived();
      return answer(request);
    };
    const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token?scopes=the-scope-of-this-test`;
    const asked = fetch(url, { headers: { 'metadata-flavor': 'Google' } });
    await atIssuer;
    server.signal('SIGTERM');
    expect((await asked).status).toBe(200);
    expect(await server.exit).toEqual({ code: 0, signal: null });
  });

  test('says at the start what is wrong with the credentials, and serves all the same', async () => {
    federation.google.answer = () => ({ status: 400, body: { error: 'invalid_grant', error_description: 'stale' } });
    await serve();
    await server.waitFor('the warning', ({ stderr }) =>
      /"WARNING".*No token can be had just now: Cannot exchange its token.*invalid_grant stale/.test(stderr),
    );
    const project = await fetch(`http://${host}/computeMetadata/v1/project/project-id`, {
      headers: { 'metadata-flavor': 'Google' },
    });
    expect(await project.text()).toBe('shop-prod');
  });
});

/** gcloud's SDK brings a Python and Google's library along. */
function gcloudPython(): { command: string; library: string } | undefined {
  try {
    const found = execFileSync('sh', ['-c', 'command -v gcloud'], { encoding: 'utf8' }).trim();
    const sdk = dirname(dirname(realpathSync(found)));
    const command = join(sdk, 'platform/bundledpythonunix/bin/python3');
    const library = join(sdk, 'lib/third_party');
    return existsSync(command) && existsSync(join(library, 'google/auth')) ? { command, library } : undefined;
  } catch {
    // There is no gcloud.
    return undefined;
  }
}

function raw(host: string, head: string): Promise<string> {
  const [address = '', port = ''] = host.split(':');
  return new Promise((done, failed) => {
    let text = '';
    const socket = connect(Number(port), address, () => socket.write(`${head}\r\nConnection: close\r\n\r\n`));
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    socket.on('end', () => done(text)).on('error', failed);
  });
}

// `mk8s token` and `mk8s credential`: what they ask of a broker, what they print, and what they refuse.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Config } from '../../../lib/config/options.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { Token } from '../../../lib/model/token.ts';
import { type CommandLineOptions, type Outcome, runCommand } from '../../support/command-line.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SECRET = 'ya29.secret-token';
const given = new Token(SECRET, new Date(Date.UTC(2026, 0, 2, 0, 15, 0, 999)));

interface Broken {
  readonly error: Error;
}

/** Runs a command line whose broker gives `SECRET`; tells what it was asked, and by which configuration. */
async function run(
  line: string,
  options: Omit<CommandLineOptions, 'engine'> & Partial<Broken> = {},
): Promise<Outcome & { asked: readonly unknown[]; config: Config | undefined; closed: number }> {
  const asked: unknown[] = [];
  let config: Config | undefined;
  let closed = 0;
  const answer =
    (kind: string) =>
    async (...request: readonly unknown[]): Promise<Token> => {
      asked.push([kind, ...request.slice(0, -1)]);
      if (options.error !== undefined) throw options.error;
      return given;
    };
  const outcome = await runCommand(line, {
    ...options,
    engine: {
      async openTokens(used) {
        config = used;
        return {
          serviceAccountToken: answer('service account'),
          googleToken: answer('google'),
          credential: answer('credential'),
          async close() {
            closed += 1;
          },
        };
      },
    },
  });
  return { ...outcome, asked, config, closed };
}

describe('mk8s token', () => {
  test.each([
    [
      'token --cluster prod --namespace shop --service-account deployer --audience vault --duration 15m',
      [
        'service account',
        { cluster: 'prod', namespace: 'shop', name: 'deployer', audience: 'vault', expirationSeconds: 900 },
      ],
    ],
    ['token --serviceaccount default', ['service account', { name: 'default' }]],
    ['token --access', ['google', { kind: 'access' }, undefined]],
    [
      'token --access --scopes a,b --as r@p.iam',
      ['google', { kind: 'access', scopes: ['a', 'b'] }, { email: 'r@p.iam' }],
    ],
    ['token --identity https://a.example', ['google', { kind: 'identity', audience: 'https://a.example' }, undefined]],
    [
      'token --access --cluster c --namespace n --service-account s',
      ['google', { kind: 'access' }, { cluster: 'c', namespace: 'n', name: 's' }],
    ],
  ])('"%s" prints the token alone', async (line, expected) => {
    const { code, stdout, stderr, asked, closed } = await run(line);
    expect({ code, stdout, stderr, closed }).toEqual({ code: 0, stdout: `${SECRET}\n`, stderr: '', closed: 1 });
    expect(asked).toEqual([expected]);
  });

  test('-o json says until when', async () => {
    expect((await run('token --access -o json')).stdout).toBe(
      `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"${SECRET}","expirationTimestamp":"2026-01-02T00:15:00Z"}}\n`,
    );
  });

  test('a service, and the audience that it wants, come from the one schema', async () => {
    const line = 'token --access --as a@b --service https://tokens.example/ --service-audience aud';
    expect((await run(line)).config?.service).toEqual({
      url: 'https://tokens.example',
      audience: 'aud',
      anonymous: false,
    });
  });

  test.each([
    ['token', 'which token?'],
    ['token --access --identity a', 'choose one'],
    ['token --access --duration 10m', '--audience and --duration'],
    ['token --identity a --scopes b', '--scopes goes with --access'],
    ['token --service-account a --as b', '--scopes and --as go with'],
    ['token --access --service-account a --as b', 'two identities'],
    ['token --access --cluster a', 'go with --service-account'],
    ['token --service-account a --duration 5m', '--duration must be 10m or more'],
    ['token --service-account a/b', 'It must be lower-case letters'],
    ['token --access --service http://tokens.example', '--service: must be an https URL'],
    ['token --access --service https://user:secret@tokens.example', '--service: must be an https URL'],
  ])('"%s" is a usage error', async (line, expected) => {
    const { code, stdout, stderr, asked } = await run(line);
    expect({ code, stdout, asked }).toEqual({ code: 2, stdout: '', asked: [] });
    expect(stderr).toContain(expected);
    expect(stderr).not.toContain('secret');
  });

  test('what cannot be had is said on stderr, and stdout stays empty', async () => {
    const error = new Mk8sError('Cannot get it', { code: 'credentials' });
    expect(await run('token --access', { error })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'error: Cannot get it\n',
      closed: 1,
    });
  });
});

describe('mk8s credential', () => {
  const info = (spec: object, apiVersion = 'client.authentication.k8s.io/v1'): NodeJS.ProcessEnv => ({
    KUBERNETES_EXEC_INFO: JSON.stringify({ apiVersion, kind: 'ExecCredential', spec }),
  });

  test('answers in the version that kubectl speaks, and asks for the cluster that it is told', async () => {
    const env = info({ interactive: true }, 'client.authentication.k8s.io/v1beta1');
    const { stdout, asked, config } = await run(
      'credential --cluster=abc --service=https://tokens.example --audience=aud --namespace=shop --service-account=x',
      { env },
    );
    expect(JSON.parse(stdout)).toEqual({
      apiVersion: 'client.authentication.k8s.io/v1beta1',
      kind: 'ExecCredential',
      status: { token: SECRET, expirationTimestamp: '2026-01-02T00:15:00Z' },
    });
    expect(asked).toEqual([['credential', { cluster: 'abc', serviceAccount: { namespace: 'shop', name: 'x' } }]]);
    expect(config?.service).toMatchObject({ url: 'https://tokens.example', audience: 'aud' });
  });

  test('may learn the cluster from the kubeconfig (provideClusterInfo)', async () => {
    const cluster = { server: 'https://10.0.0.1', config: { cluster: 'from-extension' } };
    expect((await run('credential', { env: info({ cluster }) })).asked).toEqual([
      ['credential', { cluster: 'from-extension' }],
    ]);
    expect((await run('credential --cluster mine', { env: info({ cluster }) })).asked).toEqual([
      ['credential', { cluster: 'mine' }],
    ]);
  });

  test('gives nothing for a server that would get it unencrypted', async () => {
    const { code, stdout, stderr, asked } = await run('credential', { env: info({ cluster: { server: 'http://a' } }) });
    expect({ code, stdout, asked }).toEqual({ code: 2, stdout: '', asked: [] });
    expect(stderr).toContain('unencrypted');
  });

  test.each(['{', '[]', '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1alpha1"}'])(
    'refuses to guess what %s means',
    async (text) => {
      const { code, stderr } = await run('credential', { env: { KUBERNETES_EXEC_INFO: text } });
      expect([code, stderr]).toEqual([2, expect.stringContaining('KUBERNETES_EXEC_INFO must be an ExecCredential')]);
    },
  );

  test('reads no mk8s.yaml of the folder that kubectl happens to be run in', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'mk8s.yaml'), 'service: {url: "https://evil.example"}\n');
    const here = { cwd: folder.path };
    expect((await run('credential', here)).config?.service.url).toBeUndefined();
    expect((await run('credential --config mk8s.yaml', here)).config?.service.url).toBe('https://evil.example');
    expect((await run('token --access', here)).config?.service.url).toBe('https://evil.example');
  });
});

describe('mk8s metadata', () => {
  test.each([
    ['metadata --address 0.0.0.0', '--address: the address 0.0.0.0 is not loopback'],
    ['metadata --address ::', 'say --allow-remote too'],
    ['metadata --address example.com', '--address: must be an IP address'],
    ['metadata --port 65536', '--port: must be a port number'],
  ])('"%s" is a usage error: other machines are to be meant twice', async (line, expected) => {
    const { code, stderr } = await runCommand(line);
    expect([code, stderr]).toEqual([2, expect.stringContaining(expected)]);
  });
});

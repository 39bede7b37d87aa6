import { spawnSync } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ExecPlugin, execCredentials } from '../../../lib/adapters/kubernetes/exec-plugin.ts';
import { createSemaphore } from '../../../lib/async/semaphore.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const V1 = 'client.authentication.k8s.io/v1';

/** A real program: it counts its runs in the file `runs`, then does what `script` says. */
async function plugin(script: string, options: Partial<ExecPlugin> = {}) {
  const folder = await scratchFolder();
  const command = join(folder.path, 'plugin');
  await writeFile(
    command,
    `#!/bin/sh\ncd '${folder.path}'\necho run >> runs\nn=$(wc -l < runs | tr -d ' ')\n${script}\n`,
  );
  await chmod(command, 0o755);
  const clock = createManualClock();
  const credentials = execCredentials(
    {
      apiVersion: V1,
      command,
      args: [],
      env: { PATH: process.env['PATH'] },
      installHint: '',
      timeoutMs: 20_000,
      ...options,
    },
    () => clock.now(),
    createSemaphore(4),
  );
  return {
    path: folder.path,
    clock,
    credentials,
    token: async (fresh = false) => (await credentials.get({ fresh })).headers['authorization'],
    runs: async () => (await readFile(join(folder.path, 'runs'), 'utf8')).split('\n').length - 1,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

function answer(status: object, apiVersion = V1): string {
  return `cat <<END\n${JSON.stringify({ apiVersion, kind: 'ExecCredential', status })}\nEND`;
}

const inSeconds = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();

describe('an exec plugin', () => {
  test.each([V1, 'client.authentication.k8s.io/v1beta1'] as const)('of %s gives a token', async (apiVersion) => {
    await using it = await plugin(answer({ token: 'secret-$n' }, apiVersion), { apiVersion });
    expect(await it.token()).toBe('Bearer secret-1');
  });

  test('gives a client certificate, with or without a token', async () => {
    await using it = await plugin(answer({ clientCertificateData: 'CERT', clientKeyData: 'KEY' }));
    expect(await it.credentials.get({ fresh: false })).toEqual({
      headers: {},
      clientCertificate: { certificate: 'CERT', key: 'KEY' },
    });
  });

  test('gets its arguments, its environment, and KUBERNETES_EXEC_INFO with the cluster where it asks for it', async () => {
    const cluster = { server: 'https://10.0.0.1', 'certificate-authority-data': 'Q0E=', config: { audience: 'a' } };
    await using it = await plugin(
      `printf '%s\\n' "$1" "$COLOR" "$KUBERNETES_EXEC_INFO" > seen\n${answer({ token: 't' })}`,
      {
        args: ['--cluster=a b'],
        env: { PATH: process.env['PATH'], COLOR: 'red' },
        clusterInfo: () => Promise.resolve(cluster),
      },
    );
    await it.token();
    const [argument, color, info = ''] = (await readFile(join(it.path, 'seen'), 'utf8')).split('\n');
    expect([argument, color]).toEqual(['--cluster=a b', 'red']);
    expect(JSON.parse(info)).toEqual({ apiVersion: V1, kind: 'ExecCredential', spec: { cluster, interactive: false } });
  });

  test('is told nothing of the cluster where it does not ask, and has no standard input', async () => {
    await using it = await plugin(
      `echo "$KUBERNETES_EXEC_INFO" > seen; read line || echo none >> seen\n${answer({ token: 't' })}`,
    );
    await it.token();
    const [info = '', input] = (await readFile(join(it.path, 'seen'), 'utf8')).split('\n');
    expect(JSON.parse(info)).toEqual({ apiVersion: V1, kind: 'ExecCredential', spec: { interactive: false } });
    expect(input).toBe('none');
  });

  test('runs once for fifty callers at the same time', async () => {
    await using it = await plugin(answer({ token: 'secret-$n' }));
    const tokens = await Promise.all(Array.from({ length: 50 }, () => it.token()));
    expect(new Set(tokens)).toEqual(new Set(['Bearer secret-1']));
    expect(await it.runs()).toBe(1);
  });

  test('is not run again as long as what it gave is good, for ever where it names no end', async () => {
    await using it = await plugin(answer({ token: 'secret-$n' }));
    const first = await it.credentials.get({ fresh: false });
    it.clock.advance(365 * 86_400_000);
    expect(await it.credentials.get({ fresh: false })).toBe(first);
    expect(await it.runs()).toBe(1);
  });

  test('is run again for a fresh credential, once for all who ask for it', async () => {
    await using it = await plugin(answer({ token: 'secret-$n' }));
    await it.token();
    expect(await Promise.all([it.token(true), it.token(true)])).toEqual(['Bearer secret-2', 'Bearer secret-2']);
    expect(await it.token()).toBe('Bearer secret-2');
  });

  test('is run again in the background a minute before the end, while the old credential is still given', async () => {
    // The first lives for an hour, the second for a day.
    await using it = await plugin(
      `if [ $n = 1 ]; then end=${inSeconds(3600)}; else end=${inSeconds(86_400)}; fi\n${answer({ token: 'secret-$n', expirationTimestamp: '$end' })}`,
    );
    await it.token();
    it.clock.advance(3_539_000);
    await it.token();
    expect(await it.runs()).toBe(1);
    it.clock.advance(1000);
    expect(await it.token()).toBe('Bearer secret-1');
    await expect.poll(() => it.token(), { timeout: 10_000 }).toBe('Bearer secret-2');
    expect(await it.runs()).toBe(2);
  });

  test('is waited for when its credential has expired', async () => {
    await using it = await plugin(
      `if [ $n = 1 ]; then end=${inSeconds(100)}; else end=${inSeconds(86_400)}; fi\n${answer({ token: 'secret-$n', expirationTimestamp: '$end' })}`,
    );
    await it.token();
    it.clock.advance(100_000);
    expect(await it.token()).toBe('Bearer secret-2');
  });

  test('that fails in the background is no news while the old credential is good, and an error after', async () => {
    await using it = await plugin(
      `if [ $n != 1 ]; then echo 'no network' >&2; exit 3; fi\n${answer({ token: 'secret-$n', expirationTimestamp: inSeconds(100) })}`,
    );
    await it.token();
    it.clock.advance(90_000);
    expect(await it.token()).toBe('Bearer secret-1');
    await expect.poll(() => it.runs(), { timeout: 10_000 }).toBe(2);
    expect(await it.token()).toBe('Bearer secret-1');
    it.clock.advance(10_000);
    await expect(it.token()).rejects.toMatchObject({
      code: 'credentials',
      message: expect.stringContaining('no network'),
    });
  });

  test('is killed with its children when the last caller leaves', async () => {
    await using it = await plugin(`sh -c 'echo $$ > child; exec sleep 600' & wait`);
    const stop = new AbortController();
    const waiting = it.credentials.get({ fresh: false, signal: stop.signal });
    const child = async () => Number(await readFile(join(it.path, 'child'), 'utf8').catch(() => '0'));
    await expect.poll(child, { timeout: 10_000 }).toBeGreaterThan(0);
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect.poll(async () => isAlive(await child()), { timeout: 10_000 }).toBe(false);
  });
});

describe('an exec plugin that does not work is an error', () => {
  test('with the end of its standard error and never its standard output (promise 9)', async () => {
    await using it = await plugin(
      `echo '{"status":{"token":"leaked"}}'; printf 'x%.0s' $(seq 5000) >&2; echo 'login expired: Bearer eyJhbGciOiJSUzI1NiJ9.leaked.x' >&2; exit 7`,
    );
    const error = (await it.token().catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: 'credentials', retryable: true });
    expect(error.message).toContain('it ended with exit code 7. It said: ');
    expect(error.message).toContain('login expired');
    expect(error.message).not.toContain('leaked');
    expect(error.message.length).toBeLessThan(2048 + 300);
  });

  test('with the install hint where it is missing', async () => {
    await using it = await plugin('', { command: 'no-such-plugin', installHint: 'Install it with: make install.' });
    await expect(it.token()).rejects.toMatchObject({
      code: 'credentials',
      retryable: false,
      message: expect.stringMatching(/no-such-plugin.*there is no such program\. Install it with: make install\./),
    });
  });

  test('when it takes too long', async () => {
    await using it = await plugin('sleep 600', { timeoutMs: 100 });
    await expect(it.token()).rejects.toMatchObject({
      code: 'credentials',
      message: expect.stringContaining('did not finish within 0.1 s'),
    });
  });

  test('when it prints without end', async () => {
    await using it = await plugin('yes');
    await expect(it.token()).rejects.toMatchObject({ message: expect.stringContaining('more than 1 MiB') });
  });

  const v1 = (status: object): string => answer(status);
  test.each([
    ['nothing', 'true', 'it printed nothing'],
    ['no JSON', "echo 'token: leaked'", 'not JSON'],
    ['another version', answer({ token: 'leaked' }, 'client.authentication.k8s.io/v1beta1'), 'its apiVersion is'],
    ['no status', `echo '{"apiVersion":"${V1}","kind":"ExecCredential"}'`, 'status'],
    ['no credential', v1({}), 'neither a token nor a client certificate'],
    ['half a certificate', v1({ clientCertificateData: 'leaked' }), 'only one of'],
    ['a wrong time', v1({ token: 'leaked', expirationTimestamp: 'soon' }), 'expirationTimestamp'],
    ['a token with spaces', v1({ token: 'leaked leaked' }), 'contains characters'],
  ])('when it prints %s', async (_, script, expected) => {
    await using it = await plugin(script);
    const error = (await it.token().catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: 'credentials' });
    expect(error.message).toContain(expected);
    expect(error.message).not.toContain('leaked');
  });
});

function isAlive(pid: number): boolean {
  const { status, stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  // A zombie is gone; nobody has asked for its exit code yet.
  return status === 0 && !stdout.startsWith('Z');
}

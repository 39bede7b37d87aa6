// The command line as people and programs meet it: real processes, signals, pipes and files.
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type RunningProcess, runMk8s, startMk8s, startProcess } from '../support/process.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

const small = ['--sandbox-clusters', '2', '--sandbox-objects', '20', '--sandbox-rate', '20'];

/** A home without a kubeconfig, so that the machine's own clusters are left alone. */
async function empty(): Promise<TemporaryFolder & { readonly at: { cwd: string; env: { HOME: string } } }> {
  const folder = await temporaryFolder();
  return { ...folder, at: { cwd: folder.path, env: { HOME: folder.path } } };
}

interface LogLine {
  readonly severity: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, number>>;
}

function logLines(stdout: string): LogLine[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);
}

interface Streams {
  readonly alive: boolean;
  readonly streams: readonly { state: string; recorded: number; published: number }[];
}

async function statusOf(at: { cwd: string; env: { HOME: string } }): Promise<Streams> {
  const { stdout, code, stderr } = await runMk8s(['status', '-o', 'json'], at);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Streams;
}

/** Resolves once the run follows all 12 streams and recorded something live, told by a tail that waits for it. */
async function followed(at: { cwd: string; env: { HOME: string } }, run: RunningProcess): Promise<void> {
  await run.waitFor('the first stream', ({ stdout }) => stdout.includes('"message"'));
  const seen = await runMk8s(
    ['tail', '--follow', '--where', 'origin=watch', '--from', 'beginning', '--limit', '5'],
    at,
  );
  expect(seen.code).toBe(0);
}

/** Takes requests and never answers them. */
async function silentServer(): Promise<AsyncDisposable & { readonly port: number; readonly asked: Promise<unknown> }> {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  const asked = once(server, 'request');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('mk8s run', () => {
  test('without a terminal it logs JSON; SIGTERM ends it in order with 0; a second start resumes and catches up', async () => {
    await using home = await empty();
    await using first = startMk8s(['run', '--source', 'sandbox', ...small], home.at);
    await followed(home.at, first);
    // Written every so often; the test's time limit is the limit.
    while (!(await statusOf(home.at)).alive);
    expect(await first.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    const lines = logLines(first.stdout());
    expect(lines.at(-1)).toMatchObject({
      severity: 'INFO',
      details: { exitCode: 0, clusters: 2, streams: 12, resumed: 0 },
    });
    expect(first.stderr()).toBe('');

    const between = await statusOf(home.at);
    expect(between.alive).toBe(false);
    expect(between.streams.map(({ state }) => state)).toEqual(Array.from({ length: 12 }, () => 'stopped'));

    const second = await runMk8s(['run', '--source', 'sandbox', '--mode', 'catch-up', ...small], home.at);
    expect(second.code).toBe(0);
    const summary = logLines(second.stdout).at(-1);
    expect(summary?.message).toMatch(/12 streams resumed .*without listing.*were caught up with/);
    expect(summary?.details?.['caughtUp']).toBeGreaterThan(0);
  });

  test('promise 6: a second run on the same folder is told by whom it is in use, and exits with 4', async () => {
    await using home = await empty();
    await using first = startMk8s(['run', '--source', 'sandbox', ...small], home.at);
    await followed(home.at, first);
    const other = await runMk8s(['run', '--source', 'sandbox', ...small], home.at);
    expect(other.code).toBe(4);
    expect(other.stderr).toMatch(new RegExp(`^error: .*in use by another run \\(.*pid ${first.pid}\\)`));
  });

  test('a second Ctrl-C does not wait for what the first one lets finish', async () => {
    await using home = await empty();
    await using receiver = await silentServer();
    const sink = `http://127.0.0.1:${receiver.port}/hook`;
    await using run = startMk8s(['run', '--source', 'sandbox', ...small, '--sink', sink], home.at);
    await receiver.asked;
    process.kill(run.pid, 'SIGINT');
    // Two that come within 0.3 s are one Ctrl-C, told twice; so it is sent until it counts as another.
    const again = setInterval(() => process.kill(run.pid, 'SIGINT'), 100);
    const exit = await run.exit.finally(() => clearInterval(again));
    expect(exit).toEqual({ code: 130, signal: null });
  });

  test('where no cluster is found it says so and exits with 3; --fallback-sandbox runs the sandbox', async () => {
    await using home = await empty();
    const none = await runMk8s(['run'], home.at);
    expect(none.code).toBe(3);
    expect(none.stderr).toMatch(/^error: .*cluster/i);
    await using run = startMk8s(['run', '--fallback-sandbox', ...small], home.at);
    await run.waitFor('the sentence', ({ stdout }) => /No cluster was found .*sandbox/.test(stdout));
    expect((await run.kill('SIGINT')).code).toBe(0);
  });

  test('on a terminal it draws the fleet and leaves the terminal as it was', async ({ skip }) => {
    const script = await startProcess('script', ['--version']).exit;
    skip(script.code !== 0, 'script (util-linux) gives the test a terminal, and is not here');
    await using home = await empty();
    const mk8s = `stty cols 100 rows 40; exec ${process.execPath} ${join(import.meta.dirname, '../../bin/mk8s.js')}`;
    const line = `${mk8s} run --source sandbox --deadline 6s ${small.join(' ')}`;
    const at = { ...home.at, env: { ...home.at.env, TERM: 'xterm-256color' } };
    await using run = startProcess('script', ['-qec', line, '/dev/null'], at);
    expect((await run.exit).code).toBe(0);
    const [drawn = '', after = ''] = run.stdout().split('\u001b[?25h\u001b[?1049l');
    expect(drawn).toContain('\u001b[?1049h');
    expect(drawn).toMatch(/sandbox-b.*httproutes\.gateway\.networking\.k8s\.io/s);
    expect(drawn).toContain('watching');
    expect(after).toMatch(/^Ran for \d+s with 12 streams of 2 clusters\.\r\nRecorded \d+ changes/);
  });

  test('a wrong configuration is named with file and line, and exits with 2', async () => {
    await using home = await empty();
    await writeFile(join(home.path, 'mk8s.yaml'), 'data: feed\nresource: [secrets]\n');
    const { code, stdout, stderr } = await runMk8s(['run'], home.at);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe('error: mk8s.yaml:2: unknown key "resource"; did you mean "resources"?\n');
  });
});

describe('mk8s sandbox', () => {
  test('writes an owner-only kubeconfig that mk8s clusters understands, and removes it at the end', async () => {
    await using home = await empty();
    await using sandbox = startMk8s(
      ['sandbox', '--clusters', '2', '--objects', '5', '--kubeconfig', 'a/kube'],
      home.at,
    );
    await sandbox.waitFor('the introduction', ({ stdout }) => stdout.includes('Ctrl-C ends it'));
    const file = join(home.path, 'a/kube');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const at = { ...home.at, env: { ...home.at.env, KUBECONFIG: file } };
    const clusters = await runMk8s(['clusters', '-o', 'json'], at);
    expect(clusters.code).toBe(0);
    const { clusters: found } = JSON.parse(clusters.stdout) as {
      clusters: { name: string; id?: string; isDefault: boolean }[];
    };
    expect(found.map(({ name, isDefault }) => [name, isDefault])).toEqual([
      ['sandbox-a', true],
      ['sandbox-b', false],
    ]);
    expect(new Set(found.map(({ id }) => id)).size).toBe(2);
    expect((await runMk8s(['clusters', '-o', 'name', '--contexts', '*-b'], at)).stdout).toBe('sandbox-b\n');
    expect(await sandbox.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await expect(stat(file)).rejects.toThrow('ENOENT');
    expect((await runMk8s(['clusters'], at)).code).toBe(3);
  });

  test('does not overwrite a kubeconfig of somebody else', async () => {
    await using home = await empty();
    await mkdir(join(home.path, '.kube'));
    const file = join(home.path, '.kube/config');
    await writeFile(file, 'mine');
    const { code, stderr } = await runMk8s(['sandbox', '--clusters', '1', '--kubeconfig', file], home.at);
    expect(code).toBe(2);
    expect(stderr).toContain('--force');
    expect(await readFile(file, 'utf8')).toBe('mine');
  });
});

describe('mk8s tail', () => {
  test('a subscription continues after kill -9 without losing a change, from another process while a run writes', async () => {
    await using home = await empty();
    await using run = startMk8s(['run', '--source', 'sandbox', ...small], home.at);
    await followed(home.at, run);
    const seen: number[] = [];
    for (let round = 0; round < 3; round++) {
      const target = seen.length + 40;
      await using tail = startMk8s(['tail', '-o', 'json', '--subscription', 's', '--follow'], home.at);
      await tail.waitFor('some changes', ({ stdout }) => stdout.split('\n').length > target - seen.length);
      await tail.kill('SIGKILL');
      // Without the last line: the kill may have cut it.
      seen.push(
        ...tail
          .stdout()
          .split('\n')
          .slice(0, -1)
          .map((line) => (JSON.parse(line) as { position: number }).position),
      );
    }
    expect((await run.kill('SIGTERM')).code).toBe(0);
    const rest = await runMk8s(['tail', '-o', 'json', '--subscription', 's'], home.at);
    const all = await runMk8s(['tail', '-o', 'json'], home.at);
    const positions = (text: string): number[] =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as { position: number }).position);
    expect(new Set([...seen, ...positions(rest.stdout)])).toEqual(new Set(positions(all.stdout)));
  });

  test('a reader that goes away ends it quietly', async () => {
    await using home = await empty();
    const feed = await runMk8s(['run', '--source', 'sandbox', '--mode', 'catch-up', ...small], home.at);
    expect(feed.code).toBe(0);
    const command = `${process.execPath} ${join(import.meta.dirname, '../../bin/mk8s.js')} tail -o json`;
    await using shell = startProcess('bash', ['-c', `set -o pipefail; ${command} | head -c 100 >/dev/null`], home.at);
    expect([await shell.exit, shell.stderr()]).toEqual([{ code: 0, signal: null }, '']);
  });
});

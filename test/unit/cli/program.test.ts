import { describe, expect, test } from 'vitest';
import { options } from '../../../lib/config/options.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { recordedOutput, runCommand } from '../../support/command-line.ts';

describe('help', () => {
  test('lists the commands and the exit codes, and loads nothing else', async () => {
    const { code, stdout, stderr } = await runCommand('--help');
    expect([code, stderr]).toEqual([0, '']);
    for (const word of ['run', 'clusters', 'tail', 'status', 'sandbox', 'Exit codes']) expect(stdout).toContain(word);
  });

  test('without a command the help is shown', async () => {
    expect(await runCommand('')).toEqual(await runCommand('--help'));
  });

  test('every option of a command has its flag and its variable in the help', async () => {
    const { stdout } = await runCommand('run --help', { stdout: recordedOutput({ width: 120 }) });
    for (const { key, commands } of options) {
      if (!(commands as readonly string[]).includes('run')) continue;
      expect(stdout.replace(/\s+/g, ' ')).toContain(`MK8S_${key.replace(/\.|(?=[A-Z])/g, '_').toUpperCase()}`);
    }
  });

  test('--version says which', async () => {
    expect((await runCommand('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('errors', () => {
  test.each([
    ['stat', "unknown command 'stat'\n(Did you mean status?)"],
    ['tail --folow', "unknown option '--folow'\n(Did you mean --follow?)"],
    ['status -o xml', "argument 'xml' is invalid. Allowed choices are table, json"],
    ['run --mode sometimes', '--mode: must be one of follow, catch-up, not "sometimes"'],
    ['tail extra', 'too many arguments'],
    ['run --config no.yaml', 'Cannot read the configuration file'],
  ])('"%s" is a usage error', async (line, expected) => {
    const { code, stdout, stderr } = await runCommand(line);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(expected);
    expect(stderr).toMatch(/^error: /);
  });

  test.each([
    ['unreachable', 3],
    ['fenced', 4],
    ['config', 2],
    ['storage', 1],
    ['full', 1],
  ] as const)('an error of code %s exits with %d, in one paragraph', async (code, exit) => {
    const engine = {
      startRun: () => {
        throw new Mk8sError('Cannot do it: \u001b[31mno', { code });
      },
    };
    const ended = await runCommand('run', { engine });
    expect(ended).toEqual({ code: exit, stdout: '', stderr: 'error: Cannot do it: \ufffd[31mno\n' });
  });

  test('flags reach the configuration', async () => {
    let seen: unknown;
    const engine = {
      startRun: (config: unknown) => {
        seen = config;
        throw new Mk8sError('enough', { code: 'config' });
      },
    };
    const line =
      'run --resources a.b,c.d --resources e.f --no-ignore-noop --fallback-sandbox --retention-age 7d -l app=x';
    await runCommand(line, { engine, env: { MK8S_IGNORE_NOOP: 'true' } });
    expect(seen).toMatchObject({
      resources: ['a.b', 'c.d', 'e.f'],
      ignoreNoop: false,
      fallbackSandbox: true,
      labelSelector: 'app=x',
      retention: { age: 604_800_000 },
    });
  });

  test('a misspelt variable is a warning on stderr', async () => {
    const { stderr } = await runCommand('run --config no.yaml', { env: { MK8S_RESOURCE: 'x' } });
    expect(stderr).not.toContain('Warning');
    const warned = await runCommand('status', { env: { MK8S_RESOURCE: 'x' } });
    expect(warned.stderr).toMatch(/^Warning: The environment variable MK8S_RESOURCE .*MK8S_RESOURCES\?\n/);
  });
});

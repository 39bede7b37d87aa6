import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exitCodesHelp } from '../../../lib/cli/exit-codes.ts';
import { flagOf, type Option, options, variableOf } from '../../../lib/config/options.ts';
import { runCommand } from '../../support/command-line.ts';

const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8');

describe('the README', () => {
  test.each(options.map((option): [string, Option] => [option.key, option]))(
    'has %s in its table of options',
    (key, option) => {
      const row = readme.split('\n').find((line) => line.startsWith(`| \`${key}\` |`)) ?? '';
      expect(row).toContain(`\`${flagOf(option)}\``);
      expect(row).toContain(`\`${variableOf(option)}\``);
      if (option.default !== undefined) expect(row).toContain(`| \`${option.default}\` |`);
    },
  );

  test('has no option that does not exist', () => {
    const rows = readme.split('\n').filter((line) => /^\| `[a-zA-Z.]+` \| `--/.test(line));
    expect(rows).toHaveLength(options.length);
  });

  test('gives the exit codes as --help does', () => {
    for (const [, code = '', meaning = ''] of exitCodesHelp.matchAll(/^ +([0-5]) +(.*)$/gm)) {
      expect(readme).toContain(`| ${code} | ${meaning} |`);
    }
  });

  const shell = [...readme.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block).join('');
  const commands = [...shell.matchAll(/^mk8s (.*?)(?: {2,}#.*)?$/gm)].map(([, line = '']) => line.trim());
  test.each(commands)('"mk8s %s" is a command line that is accepted', async (line) => {
    // There is nothing behind the commands here; 2 would be a usage error.
    const { code, stderr } = await runCommand(line.replaceAll("'", ''));
    expect([code, stderr]).not.toEqual([2, stderr]);
  });
});

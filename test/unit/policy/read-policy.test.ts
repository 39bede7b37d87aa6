import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPolicy } from '../../../lib/policy/read-policy.ts';
import { runCommand } from '../../support/command-line.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const grant = (over: string) => `version: 1
rules:
  - name: one
    grant: service-account-tokens
    callers: [alice@example.com]
    clusters: [prod]
    namespaces: [shop]
    serviceAccounts: [deployer]
    audiences: [api-server]
${over}`;

const complaint = async (text: string): Promise<string> =>
  await readPolicy(text, 'policy.yaml').then(
    () => '',
    (error: Error) => error.message,
  );

describe('a policy file', () => {
  test('is read from YAML and from JSON alike; a lifetime that is not given is 15 minutes', async () => {
    const fromYaml = await readPolicy(grant(''), 'p');
    const json = {
      version: 1,
      rules: [
        {
          name: 'one',
          grant: 'service-account-tokens',
          callers: ['alice@example.com'],
          clusters: ['prod'],
          namespaces: ['shop'],
          serviceAccounts: ['deployer'],
          audiences: ['api-server'],
        },
      ],
    };
    expect(await readPolicy(JSON.stringify(json), 'p')).toEqual(fromYaml);
    expect(fromYaml.rules[0]).toMatchObject({ effect: 'grant', maxLifetime: 900 });
  });

  test.each<[string, string, string]>([
    ['an unknown key', grant('    maxLifetme: 10m\n'), 'policy.yaml:10: rules[0].maxLifetme must be left out'],
    ['a key twice', grant('    namespaces: [x]\n'), 'policy.yaml:10:'],
    [
      'a lifetime above an hour',
      grant('    maxLifetime: 2h\n'),
      'policy.yaml:10: rules[0].maxLifetime must be a duration from 10m to 1h',
    ],
    ['a lifetime below what Kubernetes gives', grant('    maxLifetime: 5m\n'), 'policy.yaml:10: rules[0].maxLifetime'],
    ['any audience', grant('').replace('[api-server]', "['*']"), 'policy.yaml:9: rules[0].audiences[0] must be'],
    ['any audience with a scheme', grant('').replace('[api-server]', "['https://*']"), 'policy.yaml:9:'],
    ['any audience of a top-level domain', grant('').replace('[api-server]', "['https://*.com']"), 'policy.yaml:9:'],
    [
      'everyone in a grant',
      grant('').replace('alice@example.com', "'*'"),
      'policy.yaml:5: rules[0].callers[0] must be',
    ],
    ['everyone of every domain', grant('').replace('alice@example.com', "'*@*'"), 'policy.yaml:5:'],
    [
      'a grant without audiences',
      grant('').replace('    audiences: [api-server]\n', ''),
      'policy.yaml:3: rules[0].audiences must be',
    ],
    ['no callers', grant('').replace('[alice@example.com]', '[]'), 'policy.yaml:5: rules[0].callers must be'],
    [
      'a kind of grant that there is not',
      grant('').replace('service-account-tokens', 'everything'),
      'policy.yaml:4: rules[0].grant must be one of',
    ],
    [
      'a name twice',
      `${grant('')}${grant('').split('rules:\n')[1] ?? ''}`,
      'policy.yaml:10: rules[1].name must be a name of its own',
    ],
    ['another version', grant('').replace('version: 1', 'version: 2'), 'policy.yaml:1: version must be 1'],
    ['no YAML', 'version: [', 'policy.yaml:1:'],
    ['broken JSON', '{"version": 1,\n "rules": [}', 'policy.yaml:2:'],
    ['nothing', '', 'policy.yaml:1: the policy must be'],
  ])('with %s is refused, with the line', async (_, text, expected) => {
    expect(await complaint(text)).toContain(expected);
  });

  test('can be checked and explained by commands, whose exit codes say what was decided', async () => {
    await using folder = await temporaryFolder();
    writeFileSync(join(folder.path, 'p.yaml'), grant(''));
    const run = async (line: string) => await runCommand(line, { cwd: folder.path });
    expect(await run('policy check p.yaml')).toMatchObject({
      code: 0,
      stdout: 'p.yaml: 1 grant, 0 denials. Nothing else is granted.\n',
    });
    const asked = '--cluster prod --namespace shop --service-account deployer';
    const yes = await run(`policy explain p.yaml --as alice@example.com ${asked}`);
    expect(yes.stdout).toContain('alice@example.com may: rule "one" grants it, for 15 minutes at most.');
    expect(yes.code).toBe(0);
    const no = await run(`policy explain p.yaml --as bob@example.com ${asked}`);
    expect(no.stdout).toContain('bob@example.com may not: no rule grants it.');
    expect(no.stdout).toMatch(/one +is for other callers/);
    expect(no.code).toBe(1);
    expect(await run('policy check none.yaml')).toMatchObject({ code: 1 });
    expect(await run('policy explain p.yaml --as a@b.c')).toMatchObject({ code: 2 });
  });
});

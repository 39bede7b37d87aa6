// `mk8s policy check` and `mk8s policy explain`: commands about a file, which need none of the options.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { GRANTS } from '../policy/policy.ts';
import type { Output } from './output.ts';

interface PolicyHost {
  readonly cwd: string;
  readonly stdout: Output;
}

export interface ExplainFlags {
  readonly as: string;
  readonly issuer: string;
  readonly grant: (typeof GRANTS)[number];
  readonly cluster?: string;
  readonly namespace?: string;
  readonly serviceAccount?: string;
  readonly audience?: string;
  readonly scopes?: readonly string[];
  readonly output: 'text' | 'json';
}

export function addPolicy(program: Command, host: PolicyHost, ended: (code: number) => void): void {
  const policy = program
    .command('policy')
    .description('check a policy file of the functions, and explain what it decides');
  policy
    .command('check <file>')
    .description('read it as the functions do; every mistake is told with its line')
    .action(async (file: string) => ended(await (await import('./commands/policy.ts')).check(file, host)));
  policy
    .command('explain <file>')
    .description('say what it decides for a caller, and why')
    .requiredOption('--as <caller>', 'e-mail address of the caller, or the subject of its tokens')
    .option('--issuer <url>', 'issuer of its tokens', 'https://accounts.google.com')
    .addOption(new Option('--grant <kind>', 'what it asks for').choices([...GRANTS]).default('service-account-tokens'))
    .option('--cluster <cluster>', 'id or name')
    .option('--namespace <namespace>', 'of the service account')
    .option('--service-account <name>', 'name, or address of one of Google')
    .option('--audience <audience>', 'of the token (default: the API server)')
    .option('--scopes <scopes>', 'of an access token, separated by commas', (text: string) => {
      if (text === '') throw new InvalidArgumentError('Name at least one scope.');
      return text.split(',');
    })
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['text', 'json']).default('text'))
    .action(async (file: string, flags: ExplainFlags) =>
      ended(await (await import('./commands/policy.ts')).explainPolicy(file, flags, host)),
    );
}

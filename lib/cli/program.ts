// The command line: which commands there are, what they take, and how they end. Each command is loaded only when used,
// so that `mk8s --help` need not wait for what it does not do.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { CommandName } from '../config/options.ts';
import { Mk8sError, messageOf } from '../model/errors.ts';
import { packageVersion } from '../model/version.ts';
import type { Engine } from './engine.ts';
import { exitCodeOf, exitCodes, exitCodesHelp } from './exit-codes.ts';
import { addOptions } from './flags.ts';
import type { Invocation } from './invocation.ts';
import { type Output, ReaderGone } from './output.ts';
import { addPolicy } from './policy-commands.ts';
import { type SignalOptions, withSignals } from './signals.ts';
import { printable } from './text/width.ts';

export interface Host {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Loads the rest of mk8s; called only by commands that need it. */
  readonly engine: () => Promise<Engine>;
  readonly process: SignalOptions['process'];
  readonly now: () => number;
}

/** Runs one command line (without node and script). Returns the exit code; every error was said on stderr. */
export async function mk8s(args: readonly string[], host: Host): Promise<number> {
  const said = { out: '', err: '' };
  let code: number = exitCodes.ok;
  const program = commandLine(host, said, (ended) => {
    code = ended;
  });
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof ReaderGone) return exitCodes.ok;
    if (error instanceof CommanderError) code = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    else {
      code = exitCodeOf(error);
      said.err += errorText(error, host.env);
    }
  }
  try {
    if (said.out !== '') await host.stdout.write(said.out);
    if (said.err !== '') await host.stderr.write(said.err);
  } catch (error) {
    if (!(error instanceof ReaderGone)) throw error;
  }
  return code;
}

function commandLine(host: Host, said: { out: string; err: string }, ended: (code: number) => void): Command {
  const program = new Command('mk8s')
    .description(
      'Follows every change of the custom resources in a fleet of Kubernetes clusters and keeps one durable feed.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help for a command')
    .configureOutput({
      writeOut: (text) => {
        said.out += text;
      },
      writeErr: (text) => {
        said.err += text;
      },
      getOutHelpWidth: () => Math.min(host.stdout.size().width, 120),
    })
    .configureHelp({ sortOptions: false })
    .exitOverride()
    .addHelpText(
      'after',
      `\nRun \`mk8s COMMAND --help\` for a command's flags. Every flag can also be set in mk8s.yaml and as MK8S_… variable.\n\n${exitCodesHelp}`,
    );

  /** A command that takes `name`'s options and runs with the configuration that they make. */
  const add = (name: CommandName, description: string, build: (command: Command) => void, work: Work): void => {
    const command = program.command(name).description(description).helpOption('-h, --help', 'print this help');
    build(command);
    const flags = addOptions(command, name);
    command.option(
      '--config <file>',
      'configuration file (default: mk8s.yaml in the current folder, if there; env MK8S_CONFIG)',
    );
    command.action(async () => {
      const invocation = await prepare(name, flags(), command.opts<{ config?: string }>().config, host);
      const say = (text: string): void => void host.stderr.write(text).catch(() => {});
      ended(
        await withSignals((signal) => work(command.opts(), { ...invocation, signal }), {
          process: host.process,
          say,
          now: host.now,
        }),
      );
    });
  };

  add(
    'run',
    'follow the fleet: record every change, publish it, keep checkpoints',
    () => {},
    async (_, invocation) => (await import('./commands/run.ts')).run(invocation),
  );
  add(
    'clusters',
    'list the clusters that are found',
    (command) => command.addOption(output('table', 'json', 'yaml', 'name')),
    async (flags, invocation) => (await import('./commands/clusters.ts')).clusters(flags as never, invocation),
  );
  add(
    'plan',
    'show what a run would amount to: streams, their turns behind gateways, freshness, requests; follows nothing',
    (command) =>
      command
        .option(
          '--simulate <fleet>',
          'plan for a fleet that does not exist: clusters=1000,resources=40[,gateway=N][,projects=N][,shards=N]; gateway: clusters behind Connect Gateway (default all), projects: fleet host projects they are spread over (default 1)',
        )
        .addOption(output('table', 'json', 'yaml')),
    async (flags, invocation) => (await import('./commands/plan.ts')).plan(flags as never, invocation),
  );
  add('tail', 'show recorded changes, also while a run writes them', tailFlags, async (flags, invocation) =>
    (await import('./commands/tail.ts')).tail(flags as never, invocation),
  );
  add(
    'status',
    'show how every stream stands',
    (command) => command.addOption(output('table', 'json')),
    async (flags, invocation) => (await import('./commands/status.ts')).status(flags as never, invocation),
  );
  add(
    'sandbox',
    'serve a small fleet of clusters to try things on, until stopped',
    sandboxFlags,
    async (flags, invocation) => (await import('./commands/sandbox.ts')).sandbox(flags as never, invocation),
  );
  add(
    'metadata',
    "serve Google's metadata protocol to programs on this machine, with a cluster's identity, until stopped",
    (command) => command.option('--cluster <name>', 'whose identity and place (default: the default cluster)'),
    async (flags, invocation) => (await import('./commands/metadata.ts')).metadata(flags, invocation),
  );
  add(
    'credential',
    'be the credential plugin of a kubeconfig: print an ExecCredential',
    accountFlags,
    async (flags, invocation) => (await import('./commands/credential.ts')).credential(flags, invocation),
  );
  add('token', 'print a short-lived token', tokenFlags, async (flags, invocation) =>
    (await import('./commands/token.ts')).token(flags as never, invocation),
  );
  add(
    'serve',
    'serve clusters and tokens over HTTP, as the functions do, until stopped',
    () => {},
    async (_, invocation) => (await import('./commands/serve.ts')).serve(invocation),
  );
  addPolicy(program, host, ended);
  return program;
}

type Work = (flags: object, invocation: Invocation) => Promise<number>;

async function prepare(
  command: CommandName,
  flags: ReturnType<ReturnType<typeof addOptions>>,
  file: string | undefined,
  { env, cwd, stdout, stderr, engine, now }: Host,
): Promise<Omit<Invocation, 'signal'>> {
  const { loadConfig } = await import('../config/load.ts');
  // kubectl starts it wherever its user is: a file that somebody left there must not choose who gets a token.
  const useFolder = command !== 'credential';
  const input = { flags, command, env, cwd, useFolder, ...(file === undefined ? {} : { file }) };
  const { config, warnings } = await loadConfig(input);
  for (const warning of warnings) await stderr.write(`Warning: ${printable(warning)}\n`);
  return { config, env, cwd, stdout, stderr, now, engine: await engine() };
}

function output(...formats: readonly string[]): Option {
  return new Option('-o, --output <format>', 'how to print').choices([...formats]).default(formats[0]);
}

function tailFlags(command: Command): void {
  command
    .option(
      '--subscription <name>',
      'keep the place under this name and continue there the next time',
      subscriptionName,
    )
    .option(
      '--from <start>',
      'beginning, now, a time (RFC 3339) or how long ago (10m); default: beginning for a new subscription, without one now if --follow, else beginning',
    )
    .option('--rewind', 'let --from move a subscription that exists (it continues where it was otherwise)')
    .option('-f, --follow', 'wait for more')
    .addOption(
      new Option(
        '--where <conditions>',
        'only these, e.g. cluster=a,resource=httproutes.gateway.networking.k8s.io|*.istio.io,type!=update; keys: cluster, resource, group, kind, namespace, name, type, origin; repeatable',
      ).argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]),
    )
    .option('--limit <number>', 'end after this many changes', wholeNumber)
    .addOption(output('table', 'json', 'cloudevents'));
}

function sandboxFlags(command: Command): void {
  command
    .option('--kubeconfig <file>', 'where to write the kubeconfig', 'sandbox.kubeconfig')
    .option('--force', 'overwrite a file that mk8s did not write');
}

function accountFlags(command: Command): void {
  command
    .option('--cluster <name>', 'id or name (default: the default cluster; a service has none)')
    .option('--namespace <name>', "of the service account (default: the context's)", kubernetesName)
    .option('--service-account <name>', 'a Kubernetes service account: its token, by TokenRequest', kubernetesName)
    .addOption(new Option('--serviceaccount <name>').argParser(kubernetesName).hideHelp());
  command.on('option:serviceaccount', (name: string) => command.setOptionValue('serviceAccount', name));
}

function tokenFlags(command: Command): void {
  accountFlags(command);
  command
    .option('--audience <audience>', 'who may accept it (default: the API server of the cluster)')
    .option('--duration <duration>', "how long it shall live, 10m at least (default: the cluster's)")
    .option('--access', "Google's access token instead")
    .option('--scopes <scopes>', 'of the access token (default: cloud-platform)')
    .option('--identity <audience>', "Google's identity token for this audience instead")
    .option('--as <email>', 'of this Google service account, which is impersonated')
    .addOption(output('token', 'json'));
}

/** A DNS subdomain (RFC 1123), as Kubernetes names namespaces and service accounts. */
function kubernetesName(text: string): string {
  if (!/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(text)) {
    throw new InvalidArgumentError('It must be lower-case letters, digits, dashes and dots.');
  }
  return text;
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1.');
  return Number(text);
}

function subscriptionName(text: string): string {
  if (!/^[\w.:/@-]{1,200}$/.test(text)) {
    throw new InvalidArgumentError('It must be 1 to 200 letters, digits or any of . : / @ - _');
  }
  return text;
}

/** One paragraph. Only a bug (anything but Mk8sError) has a stack to show, and that only when debugging. */
function errorText(error: unknown, env: NodeJS.ProcessEnv): string {
  const message = messageOf(error).split('\n').map(printable).join('\n');
  const isBug = error instanceof Error && !(error instanceof Mk8sError);
  const stack = isBug && env['MK8S_LOG_LEVEL'] === 'debug' ? `${error.stack ?? ''}\n` : '';
  return `error: ${message}\n${stack}`;
}

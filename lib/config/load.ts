// Puts the configuration together. What is set nearer to the command wins: flag, then environment, then file, then default.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { Mk8sError, messageOf } from '../model/errors.ts';
import { readConfigText } from './file.ts';
import { check, kinds } from './kinds.ts';
import { nearest } from './nearest.ts';
import { type CommandName, type Config, flagOf, type Option, options, variableOf } from './options.ts';
import { describe, type Setting } from './setting.ts';

export interface ConfigInput {
  /** Flag values by option key, as text; a repeated flag is an array, a boolean flag a boolean. */
  readonly flags?: Readonly<Record<string, string | readonly string[] | boolean>>;
  /** Whose names for the flags to use in messages. */
  readonly command?: CommandName;
  readonly env?: NodeJS.ProcessEnv;
  /** The file of `--config`; without it MK8S_CONFIG, else `mk8s.yaml` in `cwd` if there is one. */
  readonly file?: string;
  /** False: without `file` and MK8S_CONFIG there is none; the current folder is not looked into. Default true. */
  readonly useFolder?: boolean;
  /** Relative paths in flags and environment start here; those in a file, where the file is. */
  readonly cwd?: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** The file that was read, if any. */
  readonly file?: string;
  /** Whole sentences: what looks like a mistake but stops nothing. */
  readonly warnings: readonly string[];
}

/**
 * Reads flags, environment and file, and checks every value.
 * Throws Mk8sError `config` with all complaints, one a line, each naming its flag, variable, or file and line.
 */
export async function loadConfig(input: ConfigInput = {}): Promise<LoadedConfig> {
  const { env = {}, cwd = process.cwd() } = input;
  const complaints: string[] = [];
  const file = await findFile(input, env, cwd);
  const fromFile = file === undefined ? undefined : await readConfigText(file.text, file.name);
  complaints.push(...(fromFile?.complaints ?? []));

  const values = new Map<string, Setting>();
  for (const option of options as readonly Option[]) {
    const setting =
      fromFlag(option, input, complaints) ??
      fromEnvironment(option, env, complaints) ??
      fromFile?.settings.get(option.key) ??
      fromDefault(option);
    const base = setting === fromFile?.settings.get(option.key) && file !== undefined ? dirname(file.path) : cwd;
    values.set(option.key, { ...setting, value: withPaths(option, setting.value, base, env) });
  }
  complaints.push(...contradictions(values));
  if (complaints.length > 0) throw new Mk8sError(complaints.join('\n'), { code: 'config' });
  return {
    config: nest(values),
    ...(file === undefined ? {} : { file: file.path }),
    warnings: strangers(env),
  };
}

interface ConfigFile {
  /** As the user knows it, for messages. */
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

async function findFile(
  { file: flag, useFolder = true }: ConfigInput,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<ConfigFile | undefined> {
  const variable = env['MK8S_CONFIG'] === '' ? undefined : env['MK8S_CONFIG'];
  const asked = flag ?? variable;
  if (asked === undefined && !useFolder) return undefined;
  const name = asked ?? 'mk8s.yaml';
  const path = resolve(cwd, name);
  try {
    return { name: asked ?? basename(path), path, text: readFileSync(path, 'utf8') };
  } catch (error) {
    if (asked === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const who = flag !== undefined ? '--config' : variable !== undefined ? 'MK8S_CONFIG' : 'the current folder';
    throw new Mk8sError(`Cannot read the configuration file ${path} (from ${who}): ${messageOf(error)}`, {
      code: 'config',
      cause: error,
    });
  }
}

function fromFlag(option: Option, { flags = {}, command }: ConfigInput, complaints: string[]): Setting | undefined {
  const given = flags[option.key];
  if (given === undefined) return undefined;
  const { fromText } = kinds[option.kind];
  const value =
    typeof given === 'string'
      ? fromText(given)
      : typeof given === 'boolean'
        ? given
        : given.flatMap((text) => fromText(text) as unknown[]);
  return checked(option, value, given, flagOf(option, command), complaints);
}

function fromEnvironment(option: Option, env: NodeJS.ProcessEnv, complaints: string[]): Setting | undefined {
  for (const variable of [variableOf(option), option.platformVariable]) {
    const text = variable === undefined ? undefined : env[variable];
    // An empty variable counts as not set: that is how compose files and job definitions leave things out.
    if (variable === undefined || text === undefined || text === '') continue;
    return checked(option, kinds[option.kind].fromText(text), text, variable, complaints);
  }
  return undefined;
}

function fromDefault(option: Option): Setting {
  const kind = kinds[option.kind];
  if (option.default === undefined) return { value: kind.absent, origin: 'default' };
  const result = check(option.kind, kind.fromText(option.default));
  if (!('value' in result)) throw new Error(`The default of ${option.key} is not ${result.mismatches[0]?.expected}`);
  return { value: result.value, origin: 'default' };
}

function checked(option: Option, value: unknown, given: unknown, origin: string, complaints: string[]): Setting {
  const result = check(option.kind, value);
  if ('value' in result) return { value: result.value, origin };
  const [{ expected, found } = { expected: '', found: undefined }] = result.mismatches;
  const shown = typeof found === 'string' ? found : given;
  complaints.push(`${origin}: must be ${expected}, not ${describe(shown)}`);
  return { value: undefined, origin };
}

function withPaths(option: Option, value: unknown, base: string, env: NodeJS.ProcessEnv): unknown {
  const absolute = (path: string): string => {
    const home = path === '~' || path.startsWith('~/');
    return home ? resolve(env['HOME'] ?? homedir(), path.slice(2)) : resolve(base, path);
  };
  if (option.kind === 'path') return typeof value === 'string' ? absolute(value) : value;
  return option.kind === 'paths' ? ((value ?? []) as string[]).map(absolute) : value;
}

/** Values that are right alone and wrong together. */
function contradictions(values: ReadonlyMap<string, Setting>): string[] {
  return [...wrongShard(values), ...remoteMetadata(values)];
}

/** Tokens for whoever asks: to give them to other machines has to be said twice. */
function remoteMetadata(values: ReadonlyMap<string, Setting>): string[] {
  const address = values.get('metadata.address');
  if (typeof address?.value !== 'string' || values.get('metadata.allowRemote')?.value === true) return [];
  if (/^127\.|^::1$/.test(address.value)) return [];
  return [
    `${address.origin}: the address ${address.value} is not loopback, and whoever reaches it would be given tokens; if that is meant, say --allow-remote too`,
  ];
}

function wrongShard(values: ReadonlyMap<string, Setting>): string[] {
  const index = values.get('shard.index');
  const count = values.get('shard.count');
  if (typeof index?.value !== 'number' || typeof count?.value !== 'number' || index.value < count.value) return [];
  return [
    `${index.origin}: the shard index ${index.value} must be below the shard count ${count.value} (${count.origin}); the first is 0`,
  ];
}

/** MK8S_ variables that are nearly an option's: a misspelling would otherwise go unnoticed. */
function strangers(env: NodeJS.ProcessEnv): string[] {
  const known = new Set(['MK8S_CONFIG', ...options.map(variableOf)]);
  return Object.keys(env)
    .filter((name) => name.startsWith('MK8S_') && !known.has(name))
    .flatMap((name) => {
      const near = nearest(
        name.slice(5),
        [...known].map((variable) => variable.slice(5)),
      );
      return near === undefined
        ? []
        : [`The environment variable ${name} is no option and is ignored; did you mean MK8S_${near}?`];
    });
}

function nest(values: ReadonlyMap<string, Setting>): Config {
  const root: Record<string, unknown> = {};
  for (const [key, { value }] of values) {
    const [section, leaf] = key.split('.') as [string, string | undefined];
    if (leaf === undefined) root[section] = value;
    else root[section] = { ...(root[section] as object | undefined), [leaf]: value };
  }
  return root as unknown as Config;
}

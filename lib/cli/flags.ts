// Turns the table of options into a command's flags, and a command's flags into configuration.
import { type Command, Option as Flag } from 'commander';
import type { ConfigInput } from '../config/load.ts';
import { type CommandName, flagOf, type Option, options, takes, variableOf } from '../config/options.ts';

type FlagValues = NonNullable<ConfigInput['flags']>;

// Kinds of which a flag may be repeated; said here too, so that --help need not load how they are checked.
const repeatable: ReadonlySet<string> = new Set([
  'sources',
  'paths',
  'globs',
  'resources',
  'namespaces',
  'sinks',
  'redact',
  'audiences',
  'issuers',
  'origins',
]);

/** Adds the flags that `name` takes. Returns how to read what was given, by option key, once the command line is parsed. */
export function addOptions(command: Command, name: CommandName): () => FlagValues {
  const added = (options as readonly Option[])
    .filter((option) => takes(name, option))
    .map((option) => ({ option, flag: addOption(command, option, name) }));
  return () => {
    const given = command.opts<Record<string, string | string[] | boolean | undefined>>();
    const values: Record<string, string | string[] | boolean> = {};
    for (const { option, flag } of added) {
      const value = given[flag.attributeName()];
      if (value !== undefined) values[option.key] = value;
    }
    return values;
  };
}

function addOption(command: Command, option: Option, name: CommandName): Flag {
  const long = flagOf(option, name);
  const short = option.short === undefined ? '' : `-${option.short}, `;
  const preset = option.default === undefined || option.kind === 'boolean' ? '' : `default: ${option.default}, `;
  const flag = new Flag(
    `${short}${long}${option.value === undefined ? '' : ` <${option.value}>`}`,
    `${option.help} (${preset}env ${variableOf(option)})`,
  );
  if (repeatable.has(option.kind))
    flag.argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]);
  command.addOption(flag);
  if (option.kind === 'boolean') command.addOption(new Flag(`--no-${long.slice(2)}`).hideHelp());
  return flag;
}

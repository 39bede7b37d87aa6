// The operator's word on access providers of ClusterProfiles: which exec plugin gives the credentials of which. Without a
// provider here nothing is run.
// Source: https://github.com/kubernetes-sigs/cluster-inventory-api/blob/main/pkg/access/config.go (--clusterprofile-provider-file)
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import { Mk8sError, messageOf } from '../../model/errors.ts';
import { execSchema, type KubeconfigExec, withoutEmpty } from './kubeconfig-schema.ts';

export interface ExecProvider {
  readonly name: string;
  readonly exec: KubeconfigExec;
}

const fileSchema = v.looseObject({
  providers: v.array(
    v.looseObject({
      name: v.string(),
      execConfig: execSchema,
      profileSourcedCLIArgsPolicy: v.optional(v.string()),
      profileSourcedEnvVarsPolicy: v.optional(v.string()),
    }),
  ),
});

/**
 * In the file's order, which is the order of preference. A command with a slash is relative to the file. Throws Mk8sError
 * `config` where it cannot be read, or would let a ClusterProfile add to a command line or an environment.
 */
export async function readProviderFile(path: string): Promise<readonly ExecProvider[]> {
  const parsed = v.safeParse(fileSchema, withoutEmpty(await readJson(path)));
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw wrong(path, `${v.getDotPath(issue) ?? 'it'} should be ${issue.expected ?? 'something else'}`);
  }
  return parsed.output.providers.map(
    ({ name, execConfig, profileSourcedCLIArgsPolicy: args, profileSourcedEnvVarsPolicy: env }) => {
      const open = [args, env].find((policy) => policy !== undefined && policy !== 'Ignore');
      if (open !== undefined) {
        throw wrong(
          path,
          `provider "${name}" has the policy ${open}, by which objects of a cluster would change what is run here`,
        );
      }
      const { command = '' } = execConfig;
      if (command === '') throw wrong(path, `provider "${name}" has no execConfig.command`);
      return { name, exec: { ...execConfig, command: absolute(command, path) } };
    },
  );
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    // The parser's own message quotes the text, and arguments of plugins may be secret.
    throw wrong(path, error instanceof SyntaxError ? 'it is not JSON' : messageOf(error));
  }
}

/** A bare name is looked up in PATH. */
function absolute(command: string, file: string): string {
  return /[/\\]/.test(command) ? resolve(dirname(resolve(file)), command) : command;
}

function wrong(path: string, why: string): Mk8sError {
  return new Mk8sError(
    `Cannot use the access providers of ${path}: ${why}. Write {"providers": [{"name": …, "execConfig": {"apiVersion": …, "command": …}}]}`,
    { code: 'config' },
  );
}

// `mk8s policy check FILE` and `mk8s policy explain FILE --as …`.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Mk8sError, messageOf } from '../../model/errors.ts';
import { explain } from '../../policy/explain.ts';
import { API_SERVER, type Ask, type Caller, type Policy } from '../../policy/policy.ts';
import { readPolicy } from '../../policy/read-policy.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import type { ExplainFlags } from '../policy-commands.ts';
import { columns } from '../text/columns.ts';
import { counted } from '../text/numbers.ts';
import { printable } from '../text/width.ts';

interface PolicyHost {
  readonly cwd: string;
  readonly stdout: Output;
}

export async function check(file: string, host: PolicyHost): Promise<number> {
  const { rules } = await read(file, host);
  const denials = rules.filter(({ effect }) => effect === 'deny').length;
  const grants = counted(rules.length - denials, 'grant');
  await host.stdout.write(`${printable(file)}: ${grants}, ${counted(denials, 'denial')}. Nothing else is granted.\n`);
  return exitCodes.ok;
}

/** Exits with 0 where it is granted, else with 1. */
export async function explainPolicy(file: string, flags: ExplainFlags, host: PolicyHost): Promise<number> {
  const explanation = explain(await read(file, host), callerOf(flags), askOf(flags));
  const text =
    flags.output === 'json'
      ? `${JSON.stringify(explanation, undefined, 2)}\n`
      : `${printable(explanation.verdict)}\n${
          explanation.rules.length === 0
            ? ''
            : `\n${columns(
                ['RULE', 'SAYS'],
                explanation.rules.map(({ name, said }) => [name, said]),
              )}`
        }`;
  await host.stdout.write(text);
  return explanation.allow ? exitCodes.ok : exitCodes.error;
}

async function read(file: string, { cwd }: PolicyHost): Promise<Policy> {
  const text = await readFile(resolve(cwd, file), 'utf8').catch((error: unknown) => {
    throw new Mk8sError(`Cannot read the policy ${file}: ${messageOf(error)}`, { code: 'storage', cause: error });
  });
  return await readPolicy(text, file);
}

function callerOf({ as, issuer }: ExplainFlags): Caller {
  return as.includes('@') ? { issuer, subject: '', email: as.toLowerCase() } : { issuer, subject: as };
}

function askOf(flags: ExplainFlags): Ask {
  const { grant: what, audience = API_SERVER, scopes = ['https://www.googleapis.com/auth/cloud-platform'] } = flags;
  const needed = (value: string | undefined, flag: string): string => {
    if (value !== undefined) return value;
    throw new Mk8sError(`--grant ${what} needs --${flag}`, { code: 'config' });
  };
  const cluster = () => ({ name: needed(flags.cluster, 'cluster'), aliases: [] });
  const namespace = () => needed(flags.namespace, 'namespace');
  const serviceAccount = () => needed(flags.serviceAccount, 'service-account');
  switch (what) {
    case 'refresh':
      return { what };
    case 'clusters':
      return { what, cluster: cluster() };
    case 'service-account-tokens':
      return { what, cluster: cluster(), namespace: namespace(), serviceAccount: serviceAccount(), audience };
    case 'federated-tokens':
      return { what, cluster: cluster(), namespace: namespace(), serviceAccount: serviceAccount(), scopes };
    case 'access-tokens':
      return { what, serviceAccount: serviceAccount(), scopes };
    case 'identity-tokens':
      return { what, serviceAccount: serviceAccount(), audience: needed(flags.audience, 'audience') };
  }
}

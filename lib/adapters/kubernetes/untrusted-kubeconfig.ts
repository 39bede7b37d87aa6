// Kubeconfigs that came out of a cluster: whoever may write a Secret there must not make this process run a program, read a
// file, or talk to whatever is near it. Refused parts are named; the operator may allow single servers by name.
import { BlockList, isIP } from 'node:net';
import { Mk8sError } from '../../model/errors.ts';
import { type ContextConnection, contextConnection } from './context.ts';
import type { CredentialSurroundings } from './context-credentials.ts';
import { type Kubeconfig, kubeconfigOfText } from './kubeconfig-load.ts';
import type { KubeconfigCluster, KubeconfigUser } from './kubeconfig-schema.ts';

export interface UntrustedOptions extends CredentialSurroundings {
  /** Host names and addresses that are taken although they are unencrypted, loopback or link-local. */
  readonly allow: readonly string[];
}

/**
 * The connection of the kubeconfig's current context, or of its only one. Throws Mk8sError `config` with every part that
 * was refused. `origin` names where it came from, for messages.
 */
export async function untrustedConnection(
  text: string,
  origin: string,
  options: UntrustedOptions,
): Promise<ContextConnection> {
  const kubeconfig = kubeconfigOfText(text, origin);
  const [problem] = kubeconfig.problems;
  if (problem !== undefined) throw new Mk8sError(problem, { code: 'config' });
  const name = contextName(kubeconfig, origin);
  const refused = refusals(kubeconfig, name, options.allow);
  if (refused.length > 0) {
    throw new Mk8sError(
      `Kubeconfig ${origin}, context "${name}" is not used, because it came from a cluster and has ${refused.join(', ')}`,
      { code: 'config' },
    );
  }
  return await contextConnection(kubeconfig, name, options);
}

/**
 * The connection of a cluster entry that came from a cluster, with a user entry of the operator's own. Throws Mk8sError
 * `config` with every part that was refused, or that is wrong.
 */
export async function untrustedCluster(
  cluster: Readonly<Record<string, unknown>>,
  user: KubeconfigUser,
  origin: string,
  options: UntrustedOptions,
): Promise<ContextConnection> {
  const name = 'cluster';
  const text = JSON.stringify({
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster }],
    users: [{ name, user }],
  });
  const kubeconfig = kubeconfigOfText(text, origin);
  const [problem] = kubeconfig.problems;
  if (problem !== undefined) throw new Mk8sError(problem, { code: 'config' });
  const refused = refusedOfCluster(kubeconfig.document.clusters[0]?.cluster ?? {}, options.allow);
  if (refused.length > 0) {
    throw new Mk8sError(`${origin} is not used, because it came from a cluster and has ${refused.join(', ')}`, {
      code: 'config',
    });
  }
  return await contextConnection(kubeconfig, name, options);
}

function contextName({ document }: Kubeconfig, origin: string): string {
  const current = document['current-context'];
  if (current !== '') return current;
  const [only, ...others] = document.contexts;
  if (only !== undefined && others.length === 0) return only.name;
  throw new Mk8sError(
    `Kubeconfig ${origin} has no current-context and ${document.contexts.length} contexts. Set one.`,
    {
      code: 'config',
    },
  );
}

function refusals({ document }: Kubeconfig, contextName_: string, allow: readonly string[]): string[] {
  const context = document.contexts.find(({ name }) => name === contextName_)?.context;
  const cluster = document.clusters.find(({ name }) => name === context?.cluster)?.cluster ?? {};
  const user = document.users.find(({ name }) => name === context?.user)?.user ?? {};
  return [...refusedOfCluster(cluster, allow), ...refusedOfUser(user)];
}

function refusedOfUser(user: KubeconfigUser): string[] {
  const files = ['tokenFile', 'client-certificate', 'client-key'].filter((field) => user[field] !== undefined);
  return [...(user.exec === undefined ? [] : ['an exec plugin']), ...files.map((field) => `a file path (${field})`)];
}

function refusedOfCluster(cluster: KubeconfigCluster, allow: readonly string[]): string[] {
  const refused: string[] = [];
  if (cluster['certificate-authority'] !== undefined) refused.push('a file path (certificate-authority)');
  if (cluster['proxy-url'] !== undefined) refused.push('a proxy (proxy-url)');
  const server = cluster.server ?? '';
  // client-go takes http where nothing is said about TLS, whatever host it is.
  if (server !== '' && !server.includes('://')) return [...refused, 'a server without https://'];
  const url = URL.canParse(server) ? new URL(server) : undefined;
  // What is no URL at all is told by whoever reads it next.
  if (url === undefined) return refused;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (allow.includes(host)) return refused;
  if (url.protocol !== 'https:') refused.push(`an unencrypted server (${url.host})`);
  if (cluster['insecure-skip-tls-verify'] === true) refused.push('insecure-skip-tls-verify');
  if (isNear(host)) refused.push(`a server that is this machine or its platform (${url.host})`);
  return refused;
}

const near = new BlockList();
near.addSubnet('127.0.0.0', 8, 'ipv4');
near.addSubnet('0.0.0.0', 8, 'ipv4');
// Link-local: metadata servers of every cloud are at 169.254.169.254 (RFC 3927).
near.addSubnet('169.254.0.0', 16, 'ipv4');
near.addAddress('::1', 'ipv6');
near.addAddress('::', 'ipv6');
near.addSubnet('fe80::', 10, 'ipv6');
// AWS's and Google's metadata servers by IPv6.
near.addAddress('fd00:ec2::254', 'ipv6');
near.addAddress('fd20:ce::254', 'ipv6');

/** Loopback, link-local, or a name that is never anything else. */
function isNear(host: string): boolean {
  const family = isIP(host);
  if (family !== 0) return near.check(host, family === 6 ? 'ipv6' : 'ipv4');
  const name = host.toLowerCase().replace(/\.$/, '');
  return (
    name === 'localhost' || name.endsWith('.localhost') || name === 'metadata' || name === 'metadata.google.internal'
  );
}

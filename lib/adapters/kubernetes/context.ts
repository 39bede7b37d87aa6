// One context of a kubeconfig as a connection, or the sentence that says why it can't be one.
import { hash } from 'node:crypto';
import { Mk8sError } from '../../model/errors.ts';
import {
  type CredentialSurroundings,
  invalid,
  pemOrigin,
  type UserCredentials,
  userCredentials,
} from './context-credentials.ts';
import { type PemOrigin, readPem } from './credentials-files.ts';
import type { ExecClusterInfo } from './exec-credential.ts';
import type { Kubeconfig } from './kubeconfig-load.ts';
import type { KubeconfigCluster, KubeconfigContext, KubeconfigUser } from './kubeconfig-schema.ts';
import { chooseProxy } from './proxy-choice.ts';
import { secureContext } from './tls-trust.ts';
import type { ConnectionOptions } from './transport.ts';

export interface ContextConnection {
  readonly options: ConnectionOptions & Required<Pick<ConnectionOptions, 'credentials'>>;
  readonly namespace: string;
  /** SHA-256 over the cluster and user entries, secrets included: changes when they do and gives nothing away. */
  readonly fingerprint: string;
  readonly warnings: readonly string[];
}

/**
 * Resolves a context and checks all that can be checked without connecting: names, URL, files, certificates, plugin
 * settings. Throws Mk8sError `config` with a message that names the file and the context.
 */
export async function contextConnection(
  kubeconfig: Kubeconfig,
  contextName: string,
  around: CredentialSurroundings,
): Promise<ContextConnection> {
  const place = contextPlace(kubeconfig, contextName);
  try {
    const context = kubeconfig.document.contexts.find(({ name }) => name === contextName)?.context ?? {};
    const cluster = clusterOf(kubeconfig, context);
    const user = userOf(kubeconfig, context);
    return await connection(contextName, context, cluster, user, around, place);
  } catch (error) {
    if (!(error instanceof Mk8sError)) throw error;
    throw new Mk8sError(`${place}: ${error.message}`, { code: 'config', cause: error });
  }
}

/** `Kubeconfig FILE, context "NAME"`: where messages about a context begin. */
function contextPlace(kubeconfig: Kubeconfig, contextName: string): string {
  return `Kubeconfig ${kubeconfig.origins.contexts.get(contextName) ?? ''}, context "${contextName}"`;
}

function clusterOf(kubeconfig: Kubeconfig, context: KubeconfigContext): KubeconfigCluster {
  if (context.cluster === undefined) throw invalid('it names no cluster. Add context.cluster');
  const found = kubeconfig.document.clusters.find(({ name }) => name === context.cluster);
  if (found === undefined) throw invalid(`cluster "${context.cluster}" ${notDefined(kubeconfig)}`);
  return found.cluster;
}

// kubectl, too, takes a context without a user as anonymous.
function userOf(kubeconfig: Kubeconfig, context: KubeconfigContext): KubeconfigUser {
  if (context.user === undefined) return {};
  const found = kubeconfig.document.users.find(({ name }) => name === context.user);
  if (found === undefined) throw invalid(`user "${context.user}" ${notDefined(kubeconfig)}`);
  return found.user;
}

function notDefined(kubeconfig: Kubeconfig): string {
  return `is not defined (or was left out as invalid) in ${kubeconfig.files.join(', ')}. Define it, or remove the context`;
}

async function connection(
  name: string,
  context: KubeconfigContext,
  cluster: KubeconfigCluster,
  user: KubeconfigUser,
  around: CredentialSurroundings,
  place: string,
): Promise<ContextConnection> {
  const found: string[] = [];
  const server = serverUrl(cluster, user);
  const ca = certificateAuthority(cluster, server, found);
  const info = (): Promise<ExecClusterInfo> => execClusterInfo(cluster, server, ca);
  const { credentials, clientCertificate, warnings } = await userCredentials(user, info, around);
  if (server.protocol === 'https:') await checkTls(ca, clientCertificate);
  const proxy = chooseProxy(server, cluster['proxy-url'], around.env);
  const insecure = cluster['insecure-skip-tls-verify'] === true;
  if (insecure && server.protocol === 'https:') found.push(INSECURE);
  return {
    options: {
      name,
      server,
      tls: {
        ...(ca === undefined ? {} : { ca }),
        ...(cluster['tls-server-name'] === undefined ? {} : { serverName: cluster['tls-server-name'] }),
        insecure,
      },
      ...(proxy === undefined ? {} : { proxy }),
      credentials,
      headers: impersonation(user),
      compression: cluster['disable-compression'] !== true,
    },
    namespace: context.namespace ?? 'default',
    fingerprint: hash('sha256', JSON.stringify([server.href, cluster, user]), 'hex'),
    warnings: [...found, ...warnings].map((warning) => `${place}: ${warning}`),
  };
}

const INSECURE =
  'insecure-skip-tls-verify is set, so whoever is on the way can read and change everything, credentials included. Set certificate-authority instead.';

// Without a scheme, client-go takes https where anything is said about TLS, else http.
function serverUrl(cluster: KubeconfigCluster, user: KubeconfigUser): URL {
  const text = cluster.server;
  if (text === undefined) throw invalid('its cluster has no server. Add the URL of the API server');
  const secured =
    [cluster['certificate-authority'], cluster['certificate-authority-data'], user['client-certificate']].some(
      Boolean,
    ) ||
    user['client-certificate-data'] !== undefined ||
    cluster['insecure-skip-tls-verify'] === true;
  const url = text.includes('://') ? text : `${secured ? 'https' : 'http'}://${text}`;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['https:', 'http:'].includes(parsed.protocol) || parsed.username !== '') {
    throw invalid("its cluster's server is not an http(s) URL without a user. Write https://HOST:PORT");
  }
  return parsed;
}

function certificateAuthority(cluster: KubeconfigCluster, server: URL, warnings: string[]): PemOrigin | undefined {
  const ca = pemOrigin(cluster, 'certificate-authority', warnings);
  if (ca !== undefined && cluster['insecure-skip-tls-verify'] === true) {
    // As client-go: one of them is a mistake, and guessing which would be unsafe.
    throw invalid('its cluster has a certificate-authority and insecure-skip-tls-verify. Remove one of them');
  }
  return server.protocol === 'https:' ? ca : undefined;
}

async function checkTls(ca: PemOrigin | undefined, certificate: UserCredentials['clientCertificate']): Promise<void> {
  if (ca === undefined && certificate === undefined) return;
  // Where no CA is named the system's are used, which need no check and take long to parse: stand in the certificate.
  const pem = ca === undefined ? certificate?.certificate : await readPem(ca, 'certificate authority');
  secureContext(pem, certificate);
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
function impersonation(user: KubeconfigUser): Record<string, string | readonly string[]> {
  const groups = user['as-groups'] ?? [];
  const uid = user['as-uid'];
  const extra = Object.entries(user['as-user-extra'] ?? {});
  if (user.as === undefined) {
    if (groups.length === 0 && uid === undefined && extra.length === 0) return {};
    throw invalid('its user has as-groups, as-uid or as-user-extra, but not as. Add whom to impersonate');
  }
  return {
    'impersonate-user': user.as,
    ...(groups.length === 0 ? {} : { 'impersonate-group': groups }),
    ...(uid === undefined ? {} : { 'impersonate-uid': uid }),
    ...Object.fromEntries(extra.map(([key, values]) => [`impersonate-extra-${headerKey(key)}`, values])),
  };
}

// As client-go's headerKeyEscape: what may not stand in a header's name, and %, is percent-encoded.
function headerKey(key: string): string {
  return [...Buffer.from(key, 'utf8')]
    .map((byte) => String.fromCharCode(byte))
    .map((char) =>
      /[!#$&'*+\-.^_`|~0-9A-Za-z]/.test(char)
        ? char
        : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');
}

async function execClusterInfo(
  cluster: KubeconfigCluster,
  server: URL,
  ca: PemOrigin | undefined,
): Promise<ExecClusterInfo> {
  const extension = cluster.extensions?.find(({ name }) => name === 'client.authentication.k8s.io/exec');
  const pem = ca === undefined ? undefined : await readPem(ca, 'certificate authority');
  return {
    server: server.href.replace(/\/+$/, ''),
    ...(cluster['tls-server-name'] === undefined ? {} : { 'tls-server-name': cluster['tls-server-name'] }),
    ...(cluster['insecure-skip-tls-verify'] === true ? { 'insecure-skip-tls-verify': true } : {}),
    ...(pem === undefined ? {} : { 'certificate-authority-data': Buffer.from(pem).toString('base64') }),
    ...(cluster['proxy-url'] === undefined ? {} : { 'proxy-url': cluster['proxy-url'] }),
    ...(cluster['disable-compression'] === true ? { 'disable-compression': true } : {}),
    ...(extension === undefined ? {} : { config: extension.extension }),
  };
}

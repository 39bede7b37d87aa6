// What kubectl tells a credential plugin, and what the plugin answers.
// Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
import { Mk8sError } from '../model/errors.ts';
import type { Token } from '../model/token.ts';

const VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'] as const;

export type ExecVersion = (typeof VERSIONS)[number];

export interface ExecInfo {
  readonly apiVersion: ExecVersion;
  /** Where `provideClusterInfo` is set, of the cluster's extension `client.authentication.k8s.io/exec`: its member `cluster`. */
  readonly cluster?: string;
}

/**
 * `text` is KUBERNETES_EXEC_INFO; without it the answer is of version v1, for people who try the plugin by hand.
 * `interactive` does not matter: nothing is ever asked for here. Throws Mk8sError `config`, also where the credential would be
 * sent to a server unencrypted.
 */
export function readExecInfo(text: string | undefined): ExecInfo {
  if (text === undefined || text === '') return { apiVersion: VERSIONS[0] };
  const info = recordOf(parsed(text));
  const apiVersion = VERSIONS.find((version) => version === info['apiVersion']);
  if (info['kind'] !== 'ExecCredential' || apiVersion === undefined) {
    throw new Mk8sError(
      `KUBERNETES_EXEC_INFO must be an ExecCredential of ${VERSIONS.join(' or ')}: correct apiVersion of the user's exec in the kubeconfig`,
      { code: 'config' },
    );
  }
  const cluster = recordOf(recordOf(info['spec'])['cluster']);
  const { server } = cluster;
  const { cluster: name } = recordOf(cluster['config']);
  if (typeof server === 'string') refuseUnencrypted(server);
  return {
    apiVersion,
    ...(typeof name === 'string' && name !== '' ? { cluster: name } : {}),
  };
}

/** The answer on stdout: the one place where a token is printed. */
export function execCredential({ token, expiresAt }: Token, apiVersion: ExecVersion): string {
  // As Kubernetes writes times: whole seconds. Rounded down, so that it is renewed in time.
  const expirationTimestamp = expiresAt.toISOString().replace(/\.\d+Z$/, 'Z');
  return `${JSON.stringify({ apiVersion, kind: 'ExecCredential', status: { token, expirationTimestamp } })}\n`;
}

/** kubectl would send the token there in plain text. */
function refuseUnencrypted(server: string): void {
  if (!/^http:\/\//i.test(server)) return;
  throw new Mk8sError(
    `A token is not given for ${server}, for it would travel unencrypted: correct server in the kubeconfig`,
    {
      code: 'config',
    },
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: what is missing in it is told.
    return undefined;
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
